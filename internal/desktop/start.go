package desktop

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Start starts a program of ours, an absolute path, so that it outlives this
// one, and returns within 10 s. Inside a unit of systemd, where everything ends
// with the unit and wears its restrictions, the person's manager is asked to
// start it; elsewhere it is a plain child.
func Start(ctx context.Context, program string, args ...string) error {
	if os.Getenv("INVOCATION_ID") != "" {
		if run, err := exec.LookPath("systemd-run"); err == nil {
			limited, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			argv := []string{"--user", "--collect", "--quiet"}
			for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_CURRENT_DESKTOP", "LANG"} {
				if v := os.Getenv(name); v != "" {
					argv = append(argv, "--setenv="+name+"="+v)
				}
			}
			argv = append(argv, "--", program)
			for _, arg := range args {
				argv = append(argv, strings.ReplaceAll(arg, "$", "$$"))
			}
			command := exec.CommandContext(limited, run, argv...)
			command.WaitDelay = time.Second
			if command.Run() == nil {
				return nil
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	command := exec.Command(program, args...)
	apart(command)
	if err := command.Start(); err != nil {
		return err
	}
	// Nobody waits for it; this reaps it if it ends before we do.
	go func() { _ = command.Wait() }()
	return nil
}
