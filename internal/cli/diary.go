package cli

import (
	"context"
	"encoding/csv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/library"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type diaryOptions struct {
	Account string
	CSV     bool
	// Limit is the most entries, newest first; 0 is all of them.
	Limit int
}

// diaryPage is how many entries are read at once.
const diaryPage = 200

func (p *program) diaryCommand(run func(context.Context, diaryOptions) error) *cobra.Command {
	var o diaryOptions
	var limit string
	cmd := p.command("diary", "diary", "ACCOUNT")
	cmd.Flags().BoolVar(&o.CSV, "csv", false, p.say.Say("cli.diary.flag.csv"))
	cmd.Flags().StringVar(&limit, "limit", "", p.say.Say("cli.diary.flag.limit"))
	complete(cmd, "limit", func() []string { return []string{"10", "100"} })
	cmd.ValidArgsFunction = p.completeArgument(p.accountRefs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Account = args[0]
		if o.CSV && p.json {
			return usage("flags_together", "command", cmd.CommandPath(), "flags", "--csv, --json")
		}
		if cmd.Flags().Changed("limit") {
			n, err := strconv.Atoi(limit)
			if err != nil || n < 1 {
				return usage("flag_wrong", "command", cmd.CommandPath(), "flag", "--limit", "takes", "1, 2 … 100 …")
			}
			o.Limit = n
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

type entryLine struct {
	Event   string            `json:"event"`
	At      time.Time         `json:"at"`
	Account string            `json:"account_id"`
	What    string            `json:"what"`
	Args    map[string]string `json:"args"`
}

func (p *program) diary(ctx context.Context, o diaryOptions) error {
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.finishFormer(ctx, s)
	a, err := s.Account(ctx, o.Account)
	if err != nil {
		return err
	}
	entries, err := wholeDiary(ctx, s, a.ID, o.Limit)
	if err != nil {
		return err
	}
	switch {
	case o.CSV:
		return p.diaryCSV(entries)
	case p.json:
		for _, e := range entries {
			args := e.Args
			if args == nil {
				args = map[string]string{}
			}
			p.object(entryLine{Event: "entry", At: e.At.UTC(), Account: e.AccountID, What: e.Event, Args: args})
		}
		return nil
	case len(entries) == 0:
		p.note(p.say.Say("cli.diary.empty"))
		return nil
	}
	var rows [][]string
	for _, e := range entries {
		rows = append(rows, []string{p.say.Moment(e.At.Local(), p.now().Local()), p.entry(e)})
	}
	p.table(rows)
	return nil
}

// wholeDiary reads page after page, newest first, up to limit entries.
func wholeDiary(ctx context.Context, s service, id string, limit int) ([]library.Entry, error) {
	var all []library.Entry
	before := int64(0)
	for {
		want := diaryPage
		if limit > 0 {
			want = min(want, limit-len(all))
		}
		page, err := s.DiaryPage(ctx, id, want, before)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < want || limit > 0 && len(all) >= limit {
			return all, nil
		}
		before = page[len(page)-1].Seq
	}
}

// entry says a diary entry in words; one of a newer version by its name.
func (p *program) entry(e library.Entry) string {
	key := "cli.diary.event." + e.Event
	if !p.say.Has(key) {
		return problem.Outside(e.Event, 40)
	}
	args := text.Args{}
	for name, value := range e.Args {
		args[name] = problem.Outside(value, 200)
	}
	if until, err := time.Parse(time.RFC3339, e.Args["until"]); err == nil {
		args["until"] = p.say.Date(until.Local())
	} else {
		args["until"] = p.say.Say("cli.end_unknown")
	}
	args["reason"] = problem.Outside(e.Args["reason"], 100)
	if reason := problem.Key(e.Args["reason"]); problem.Listed(reason) {
		args["reason"] = p.say.Tell(problem.New(reason)).Title
	}
	return p.say.Say(key, args)
}

// diaryCSV writes the diary for a spreadsheet (RFC 4180, times in UTC).
func (p *program) diaryCSV(entries []library.Entry) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := csv.NewWriter(p.out)
	w.UseCRLF = true
	write := func(cells ...string) {
		for i := range cells {
			cells[i] = inert(cells[i])
		}
		_ = w.Write(cells)
	}
	write("at", "account_id", "event", "details", "text")
	for _, e := range entries {
		var details []string
		for _, name := range slices.Sorted(maps.Keys(e.Args)) {
			details = append(details, name+": "+e.Args[name])
		}
		write(e.At.UTC().Format(time.RFC3339), e.AccountID, e.Event, strings.Join(details, "; "), p.entry(e))
	}
	w.Flush()
	// A reader that went away (`| head -1`) is not our failure.
	return nil
}

// inert keeps a spreadsheet from taking a cell for a formula: names in it come
// from strangers (SEC-7).
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\x00\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
