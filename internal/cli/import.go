package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

type importOptions struct {
	Provider, App, TokenFile string
	// Account is the username to keep where the token reaches several.
	Account string
	// Issued is zero where nobody said it.
	Issued time.Time
}

func (p *program) importCommand(run func(context.Context, importOptions) error) *cobra.Command {
	var o importOptions
	var issued string
	cmd := p.command("import", "import", "")
	f := cmd.Flags()
	f.StringVar(&o.Provider, "provider", "", p.say.Say("cli.import.flag.provider"))
	f.StringVar(&o.App, "app", "", p.say.Say("cli.import.flag.app"))
	f.StringVar(&issued, "issued", "", p.say.Say("cli.import.flag.issued"))
	f.StringVar(&o.TokenFile, "token-file", "", p.say.Say("cli.flag.token_file"))
	f.StringVar(&o.Account, "account", "", p.say.Say("cli.import.flag.account"))
	complete(cmd, "provider", p.providerIDs)
	complete(cmd, "account", p.usernames)
	complete(cmd, "app", p.appNames)
	complete(cmd, "issued", nil)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := required(cmd, "provider"); err != nil {
			return err
		}
		if cmd.Flags().Changed("issued") {
			moment, ok := issuedOn(issued)
			if !ok || moment.After(p.now()) {
				return usage("flag_wrong", "command", cmd.CommandPath(), "flag", "--issued", "takes", p.now().Local().Format(time.DateOnly)+", "+p.now().UTC().Format(time.RFC3339)+" …")
			}
			o.Issued = moment
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

// issuedOn reads a day of this computer's time zone, or a moment (RFC 3339). A
// day is its beginning: an end that is thought too early only renews too early.
func issuedOn(typed string) (time.Time, bool) {
	if day, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(typed), time.Local); err == nil {
		return day, true
	}
	moment, err := time.Parse(time.RFC3339, strings.TrimSpace(typed))
	return moment, err == nil
}

func (p *program) importToken(ctx context.Context, o importOptions) error {
	s, err := p.guarding(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.misread(s)
	p.finishFormer(ctx, s)
	pasted, err := p.readToken(ctx, programName+" import", o.TokenFile)
	if err != nil {
		return err
	}
	in := connect.Paste{Provider: o.Provider, App: o.App, Text: pasted, UserID: plainName(o.Account)}
	if !o.Issued.IsZero() {
		in.Issued = &o.Issued
	}
	account, err := s.Import(ctx, in)
	if in.UserID != "" && problem.Has(err, problem.AccountUnknown) {
		// None of the token's, not none of ours.
		return problem.New(problem.AccountUnknown, "reason", "reach", "name", problem.Outside(in.UserID, 80)).Because(err)
	}
	if err != nil {
		return err
	}
	if p.json {
		p.object(accountLine{Event: "imported", Account: account})
	}
	program := account.VaultProgram
	if storage, err := s.Storage(ctx); program == "" && err == nil {
		program = storage.Program
	}
	if program == "" {
		program = p.say.Say("cli.connect.keychain")
	}
	end := p.until(account.ExpiresAt)
	if account.ExpiresEstimated && account.ExpiresAt != nil {
		end = p.say.Say("cli.import.estimated", one("end", end))
	}
	lines := []string{
		p.say.Say("cli.import.done", one("account", p.handle(account))),
		"  " + p.say.Say("cli.connect.valid", one("end", end)),
		"  " + p.say.Say("cli.connect.saved", one("program", program)),
	}
	if account.Renews && account.RenewAfter != nil {
		key := "cli.import.renewed_now"
		if account.RenewAfter.After(p.now()) {
			key = "cli.import.renewed_later"
		}
		lines = append(lines, "  "+p.say.Say(key, one("moment", p.say.Moment(account.RenewAfter.Local(), p.now().Local()))))
	}
	lines = append(lines, "  "+p.say.Say("cli.connect.next", one("ref", account.ID)))
	p.result(strings.Join(lines, "\n"))
	return nil
}

// accountLine is an event of one account.
type accountLine struct {
	Event   string          `json:"event"`
	Account connect.Account `json:"account"`
}

type inspectOptions struct{ TokenFile string }

func (p *program) inspectCommand(run func(context.Context, inspectOptions) error) *cobra.Command {
	var o inspectOptions
	cmd := p.command("inspect", "inspect", "")
	cmd.Flags().StringVar(&o.TokenFile, "token-file", "", p.say.Say("cli.flag.token_file"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) }
	return cmd
}

type inspectedLine struct {
	Event         string     `json:"event"`
	Kind          string     `json:"kind"`
	Provider      string     `json:"provider"`
	Living        bool       `json:"living"`
	Practice      bool       `json:"practice"`
	Works         bool       `json:"works"`
	UserID        string     `json:"user_id"`
	Username      string     `json:"username"`
	AccountType   string     `json:"account_type"`
	GrantedScopes []string   `json:"granted_scopes"`
	ExpiresAt     *time.Time `json:"expires_at"`
	// Account is what is kept here of it already, null where nothing is.
	Account *connect.Account `json:"account"`
	Problem *problemObject   `json:"problem,omitempty"`
}

// inspect tells what a pasted text is. Its exit code is that of what is wrong
// with the text, 0 where it works.
func (p *program) inspect(ctx context.Context, o inspectOptions) error {
	s, err := p.guarding(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	pasted, err := p.readToken(ctx, programName+" inspect", o.TokenFile)
	if err != nil {
		return err
	}
	found, err := s.Inspect(ctx, pasted)
	if err != nil {
		return err
	}
	wrong := found.Problem
	if wrong == nil {
		wrong = found.Shape.Problem
	}
	line := inspectedLine{
		Event: "inspected", Kind: found.Shape.Kind, Provider: found.Shape.Provider, Living: found.Shape.Living, Practice: found.Shape.Practice,
		Works: found.Works, GrantedScopes: append([]string{}, found.Scopes...), ExpiresAt: found.ExpiresAt, Account: found.Known,
	}
	if found.Person != nil {
		line.UserID, line.Username, line.AccountType = found.Person.UserID, found.Person.Username, found.Person.Kind
	}
	if wrong != nil {
		told := p.problemObject(wrong)
		line.Problem = &told
	}
	if p.json {
		p.object(line)
	}
	p.table(p.inspected(line))
	if wrong != nil {
		p.complain(wrong)
		return exit(wrong.Kind.ExitCode())
	}
	return nil
}

// inspected puts what was found into rows, leaving out what is not known.
func (p *program) inspected(line inspectedLine) [][]string {
	kind := "cli.inspect.kind." + line.Kind
	if !p.say.Has(kind) {
		kind = "cli.inspect.kind.unknown"
	}
	rows := [][]string{{p.say.Say("cli.inspect.kind_head"), p.say.Say(kind)}}
	add := func(head, value string) {
		if value != "" {
			rows = append(rows, []string{p.say.Say(head), problem.Outside(value, 500)})
		}
	}
	add("cli.head.provider", line.Provider)
	if line.Username != "" {
		add("cli.head.account", "@"+line.Username)
	}
	add("cli.head.user_id", line.UserID)
	add("cli.head.granted", strings.Join(line.GrantedScopes, ", "))
	if line.Works || line.ExpiresAt != nil {
		add("cli.head.ends", p.ends(line.ExpiresAt))
	}
	if line.Works {
		add("cli.head.status", p.say.Say("cli.inspect.works"))
	}
	if line.Account != nil {
		add("cli.inspect.known_head", p.say.Say("cli.inspect.known", text.Args{"account": p.handle(*line.Account), "ref": line.Account.ID}))
	}
	return rows
}
