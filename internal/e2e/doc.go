// Package e2e proves the programs as a person uses them: the real window, a
// real browser, a real keychain, clicks and key strokes from outside. It also
// holds the benchmarks, because they need the same desktop.
//
// There is nothing here but tests; the programs never import it. Decisions:
//
//   - Each test gets a desktop of its own in a temporary folder: a virtual
//     screen, a window manager, a bare session bus, an unlocked keychain, and a
//     HOME, XDG folders and TMPDIR that nobody else uses. The bus is bare (no
//     service files), because a standard one starts portals and a second,
//     locked keychain behind the test's back.
//   - Everything on that desktop runs as an ordinary user, "nobody" where the
//     tests run as root (as in CI). The browser then keeps its own sandbox, and
//     the product never learns a flag that weakens it.
//   - The person's browser is Chromium, started before the program as most
//     people's browser is. A stub called xdg-open, first in PATH, hands it the
//     address through a FIFO, so that no copy of the address touches the disk.
//   - The debugging pipe is used for looking only: which pages are open, what
//     they say, where a button is. Clicking and typing is done by XTest at
//     pixels of the screen, in the browser as in our window, so the whole input
//     path is exercised and what is covered by something else cannot be clicked.
//   - The window tells where its widgets are through a socket that exists only
//     under the build tag "e2e" (the toolkit exposes nothing to accessibility
//     tools on Linux). The released program does not contain it, which a test
//     in cmd/dev proves.
//   - What was started is ended by its process id, and whatever is left over
//     after that fails the test by name.
//   - A missing tool fails with the name of its Debian package.
//
// Screenshots and the logs of failed tests are left in artifacts/e2e at the
// root of the checkout, which git ignores.
package e2e
