package cli

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenkeep/tokenkeep/internal/sandbox"
)

type sandboxOptions struct{ Addr, Scenario string }

func (p *program) sandboxServeCommand(run func(context.Context, sandboxOptions) error) *cobra.Command {
	o := sandboxOptions{}
	cmd := p.command("serve", "sandbox.serve", "")
	f := cmd.Flags()
	f.StringVar(&o.Addr, "addr", "", p.say.Say("cli.sandbox.serve.flag.addr"))
	f.StringVar(&o.Scenario, "scenario", "", p.say.Say("cli.sandbox.serve.flag.scenario"))
	complete(cmd, "addr", nil)
	complete(cmd, "scenario", sandbox.Scenarios)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Addr == "" {
			o.Addr = "127.0.0.1:0"
		}
		if !loopback(o.Addr) {
			return usage("flag_wrong", "command", cmd.CommandPath(), "flag", "--addr", "takes", "127.0.0.1:0, [::1]:8080 …")
		}
		if o.Scenario == "" {
			o.Scenario = "ok"
		}
		if known := sandbox.Scenarios(); !slices.Contains(known, o.Scenario) {
			return usage("flag_wrong", "command", cmd.CommandPath(), "flag", "--scenario", "takes", strings.Join(known, ", "))
		}
		return run(cmd.Context(), o)
	}
	return cmd
}

// loopback tells whether only this computer can reach the address: a pretend
// provider takes secrets, and nobody else's (SEC-13).
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// sandboxServe serves until it is told to stop, which is its way to succeed.
func (p *program) sandboxServe(ctx context.Context, o sandboxOptions) error {
	running, err := sandbox.Start(ctx, o.Addr, sandbox.Options{Scenario: o.Scenario})
	if err != nil {
		return usage("sandbox_address").Because(err)
	}
	defer running.Stop()
	p.object(struct {
		Event string `json:"event"`
		URL   string `json:"url"`
	}{"listening", running.URL})
	p.note(p.say.Say("cli.sandbox.serve.hint", map[string]any{
		"url": running.URL, "client_id": sandbox.ClientID, "client_secret": sandbox.ClientSecret,
	}))
	<-ctx.Done()
	return nil
}
