package sandbox

import (
	"encoding/json"
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"
)

// person is somebody made up. Ids are above 2^53 and odd, so that a client that
// reads them as floating point shows a wrong one.
type person struct {
	// number is written into tokens: never reuse one.
	number uint16
	// accountID is /me's user_id, scopedID /me's id and the exchange's user_id.
	accountID, scopedID json.Number
	username, name      string
	kind, about         string
	biography           string
	followers, follows  int
	ground, figure      color.RGBA
	posts               []post
	// pages are those of a person at Facebook.
	pages []page
}

// post is one made-up post. Times are fixed: a post does not move with the clock.
type post struct {
	id, code, caption, kind, at string
	likes, comments             int
}

var people = []person{
	{
		number: 1, accountID: "17841400000000117", scopedID: "24512000000000119",
		username: "lantern.books", name: "Lantern Books", kind: "MEDIA_CREATOR", about: "Creator",
		biography: "Books read by lantern light.", followers: 4812, follows: 377,
		ground: color.RGBA{0x3f, 0x5e, 0x96, 0xff}, figure: color.RGBA{0xe8, 0xb0, 0x4b, 0xff},
		posts: []post{
			{"18001000000000011", "PRlantern1", "A new shelf by the window", "IMAGE", "2026-11-02T08:15:00+0000", 212, 14},
			{"18001000000000013", "PRlantern2", "Three stories for one rainy evening", "CAROUSEL_ALBUM", "2026-10-24T17:40:00+0000", 340, 31},
			{"18001000000000015", "PRlantern3", "How we bind a spine again", "VIDEO", "2026-10-11T10:05:00+0000", 871, 66},
			{"18001000000000017", "PRlantern4", "The oldest book in the house", "IMAGE", "2026-09-30T19:20:00+0000", 153, 9},
		},
	},
	{
		number: 2, accountID: "17841400000000223", scopedID: "24512000000000227",
		username: "harbour.coffee", name: "Harbour Coffee", kind: "BUSINESS", about: "Business",
		biography: "Roasted by the water since 1998.", followers: 12950, follows: 120,
		ground: color.RGBA{0x2f, 0x6f, 0x73, 0xff}, figure: color.RGBA{0xf4, 0xe6, 0xcf, 0xff},
		posts: []post{
			{"18002000000000021", "PRharbour1", "The first boat, the first cup", "IMAGE", "2026-11-14T06:30:00+0000", 1020, 41},
			{"18002000000000023", "PRharbour2", "Winter roast is here", "IMAGE", "2026-11-05T09:00:00+0000", 790, 28},
			{"18002000000000025", "PRharbour3", "From green to brown in eleven minutes", "VIDEO", "2026-10-19T13:45:00+0000", 2210, 97},
		},
	},
	{
		number: 3, accountID: "17841400000000331", scopedID: "24512000000000337",
		username: "mia.kessler", name: "Mia Keßler", kind: "MEDIA_CREATOR", about: "Creator",
		biography: "Pots, plates, patience.", followers: 689, follows: 504,
		ground: color.RGBA{0x8c, 0x4a, 0x5b, 0xff}, figure: color.RGBA{0xe4, 0xea, 0xf6, 0xff},
		posts: []post{
			{"18003000000000031", "PRkessler1", "Glaze number nine, finally", "IMAGE", "2026-10-28T15:10:00+0000", 88, 12},
		},
	},
}

// People lists the usernames that the consent page offers; the first signs in
// unless told otherwise. "user-0001" to "user-9999" can sign in too.
func People() []string {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.username
	}
	return names
}

// firstGenerated is the number of "user-0001" less one. Numbers below are
// those of people with a story.
const firstGenerated, mostGenerated = 10000, 9999

// generatedName is the form of the names of people by number.
const generatedName = "user-%04d"

// generate makes the n-th of the people without a story, 1 to 9999: as many as
// a test with a thousand accounts needs. They have a face and no posts.
func generate(n int) (person, bool) {
	if n < 1 || n > mostGenerated {
		return person{}, false
	}
	hue := byte(n * 37)
	return person{
		number:    uint16(firstGenerated + n),
		accountID: json.Number(fmt.Sprintf("1784140010%06d1", n)), scopedID: json.Number(fmt.Sprintf("2451200010%06d3", n)),
		username: fmt.Sprintf(generatedName, n), name: fmt.Sprintf("Practice person %d", n), kind: "MEDIA_CREATOR", about: "Creator",
		ground: color.RGBA{hue, 0x60, ^hue, 0xff}, figure: color.RGBA{0xf0, 0xe8, 0xd8, 0xff},
	}, true
}

func (p person) generated() bool { return p.number > firstGenerated }

// next is somebody else: the one below in the list, or with the next number.
func (p person) next() person {
	if p.generated() {
		n := int(p.number) - firstGenerated
		other, _ := generate(n%mostGenerated + 1)
		return other
	}
	among := people
	if p.atFacebook() {
		among = users
	}
	i := slices.IndexFunc(among, func(q person) bool { return q.number == p.number })
	return among[(i+1)%len(among)]
}

func personNamed(username string) (person, bool) {
	for _, p := range everybody {
		if p.username == username {
			return p, true
		}
	}
	if digits, ok := strings.CutPrefix(username, "user-"); ok {
		if n, err := strconv.Atoi(digits); err == nil {
			if p, ok := generate(n); ok && p.username == username {
				return p, true
			}
		}
	}
	return person{}, false
}

func personNumbered(number uint16) (person, bool) {
	for _, p := range everybody {
		if p.number == number {
			return p, true
		}
	}
	return generate(int(number) - firstGenerated)
}
