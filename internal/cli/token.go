package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/problem"
)

type tokenOptions struct {
	Account string
	Show    bool
}

func (p *program) tokenCommand(run func(context.Context, tokenOptions) error) *cobra.Command {
	var o tokenOptions
	cmd := p.command("token", "token", "ACCOUNT")
	cmd.Flags().BoolVar(&o.Show, "show", false, p.say.Say("cli.token.flag.show"))
	cmd.ValidArgsFunction = p.completeArgument(p.accountRefs)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Account = args[0]
		return run(cmd.Context(), o)
	}
	return cmd
}

// token is the one command that reveals a token: alone on standard output.
func (p *program) token(ctx context.Context, o tokenOptions) error {
	p.mute = true
	seen := p.terminal(p.out)
	if seen && !o.Show {
		return problem.New(problem.TokenTerminal, "account", problem.Outside(o.Account, 80))
	}
	s, err := p.service(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	p.finishFormer(ctx, s)
	handed, err := s.Token(ctx, o.Account)
	if err != nil {
		return err
	}
	if seen {
		// What a person saw belongs into the diary; what a script fetches each
		// hour would drown it. Failing to write it keeps nobody from the token.
		if a, err := s.Account(ctx, o.Account); err == nil {
			_ = s.Note(ctx, a.ID, "shown", nil)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.json {
		_, err = fmt.Fprintln(p.out, handed.AccessToken.Reveal())
		return err
	}
	return json.NewEncoder(p.out).Encode(struct {
		AccessToken string     `json:"access_token"`
		TokenType   string     `json:"token_type"`
		ExpiresAt   *time.Time `json:"expires_at"`
	}{handed.AccessToken.Reveal(), handed.TokenType, handed.ExpiresAt})
}
