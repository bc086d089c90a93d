package main

import (
	"os"
	"time"

	"github.com/tokenkeep/tokenkeep/internal/connect"
	"github.com/tokenkeep/tokenkeep/internal/desktop"
	"github.com/tokenkeep/tokenkeep/internal/problem"
	"github.com/tokenkeep/tokenkeep/internal/text"
)

// triesToTell is how often a later start looks for the first: that one may be
// about to end. Each try waits as long as a window needs to begin to listen, and
// nobody should wait longer for one that hangs.
const triesToTell = 2

// onlyWindow sees to it that a home has one window. Where another has it, that
// one is raised, at the account that is wanted, and told is true: this process
// ends with exit. A home whose file system cannot lock gets its window all the
// same.
func onlyWindow(c *text.Catalogue, home, account string) (first *desktop.Instance, told bool, exit int) {
	// What is wrong with the folder is the window's to tell.
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, false, 0
	}
	wish := "show"
	if account != "" {
		wish = "account:" + account
	}
	var err error
	for try := range triesToTell {
		if try > 0 {
			time.Sleep(200 * time.Millisecond)
		}
		first, err = desktop.Single(home)
		if err != nil || first != nil {
			return first, false, 0
		}
		if err = desktop.Tell(home, wish); err == nil {
			return nil, true, 0
		}
	}
	p := problem.Of(err)
	said := c.Tell(p)
	desktop.Complain(said.Title, said.Happened+" "+said.Advice)
	return nil, true, p.Kind.ExitCode()
}

// timerHome is the folder that the timer has to name: empty where the program
// finds it without the environment of this session, which a timer has not.
func timerHome(getenv func(string) string, home string) string {
	bare, err := connect.Environment(func(name string) string {
		switch name {
		case "HOME", "LocalAppData":
			return getenv(name)
		}
		return ""
	}, "")
	if err == nil && bare.Home == home {
		return ""
	}
	return home
}
