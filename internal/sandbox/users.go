package sandbox

import (
	"encoding/json"
	"fmt"
	"image/color"
	"slices"
)

// page is a Facebook Page, as its person sees it.
type page struct {
	id, name string
	// linked is the number of the Instagram account's person; 0 is none.
	linked uint16
	// owned: it belongs to a business portfolio. Without business_management
	// such a Page is not listed (providers.md 3.2, row 33).
	owned bool
	tasks []string
}

var (
	allTasks = []string{"ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"}
	fewTasks = []string{"ANALYZE"}
)

// firstUser is the number of the first person at Facebook; those of Instagram
// are below, those by number above.
const firstUser = 1000

// users are the people at Facebook. Each is one situation.
var users = []person{
	user(1, "nora.lind", "Nora Lind", "two Pages, each with an Instagram account",
		page{"102000000000101", "Lantern Books", 1, false, allTasks},
		page{"102000000000103", "Harbour Coffee", 2, false, allTasks}),
	user(2, "jonas.weber", "Jonas Weber", "a Page without Instagram",
		page{"102000000000201", "Weber Joinery", 0, false, allTasks}),
	user(3, "tara.okafor", "Tara Okafor", "a Page that a business owns",
		page{"102000000000301", "Kessler Pottery", 3, true, allTasks}),
	user(4, "emil.sund", "Emil Sund", "a Page where the role is too small",
		page{"102000000000401", "Harbour Coffee", 2, false, fewTasks}),
	user(5, "lea.brandt", "Lea Brandt", "no Page"),
	user(6, "ada.moreau", "Ada Moreau", "one Page of each kind",
		page{"102000000000101", "Lantern Books", 1, false, allTasks},
		page{"102000000000201", "Weber Joinery", 0, false, allTasks},
		page{"102000000000301", "Kessler Pottery", 3, true, allTasks},
		page{"102000000000401", "Harbour Coffee", 2, false, fewTasks}),
	user(7, "petra.agency", "Petra Vogel", "thirty Pages", agency()...),
}

// everybody are the people with a name.
var everybody = slices.Concat(people, users)

func user(n int, username, name, about string, pages ...page) person {
	shade := uint8(n * 13)
	return person{
		number: uint16(firstUser + n), username: username, name: name, about: about,
		accountID: json.Number(fmt.Sprintf("102174000000%02d01", n)), scopedID: json.Number(fmt.Sprintf("102174000000%02d01", n)),
		ground: color.RGBA{0x30 + shade, 0x50, 0xa0 - shade, 0xff}, figure: color.RGBA{0xf2, 0xee, 0xe2, 0xff},
		pages: pages,
	}
}

// agency are Pages enough for several answers of the list.
func agency() []page {
	pages := make([]page, 30)
	for i := range pages {
		pages[i] = page{fmt.Sprintf("1020000000009%02d", i+1), fmt.Sprintf("Client %d", i+1), uint16(firstGenerated + i + 1), false, allTasks}
	}
	return pages
}

func (p person) atFacebook() bool { return p.number > firstUser && p.number < firstGenerated }

// people are those who can sign in at d, in the order of its page.
func (d *dialect) people() []person {
	if d.number == numberFacebook {
		return users
	}
	return people
}

// known finds somebody who can sign in at d.
func (d *dialect) known(username string) (person, bool) {
	p, ok := personNamed(username)
	return p, ok && p.atFacebook() == (d.number == numberFacebook)
}

// PeopleOf lists the usernames that the consent page of a provider offers; nil
// for an unknown provider. Facebook's are names of this practice ground alone:
// at the real place a person there has none.
func PeopleOf(provider string) []string {
	d, known := dialectNamed(provider)
	if !known {
		return nil
	}
	var names []string
	for _, p := range d.people() {
		names = append(names, p.username)
	}
	return names
}

// reach is what a token may see of a Page.
type reach struct {
	page
	instagram person
}

// reached lists the ticked Pages of a token's person, those that business
// portfolios own only with business_management.
func reached(t token, scopes scopeSet) []reach {
	var list []reach
	for i, p := range t.person.pages {
		if t.pages&(1<<i) == 0 || p.owned && !t.dialect.has(scopes, "business_management") {
			continue
		}
		r := reach{page: p}
		if p.linked != 0 {
			r.instagram, _ = personNumbered(p.linked)
		}
		list = append(list, r)
	}
	return list
}
