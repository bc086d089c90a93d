package theme

import (
	"math"
	"sort"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// IconName names an icon by its meaning.
type IconName string

// The icons.
const (
	IconAccounts  IconName = "accounts"
	IconApps      IconName = "apps"
	IconAdd       IconName = "add"
	IconBack      IconName = "back"
	IconBadge     IconName = "badge"
	IconBell      IconName = "bell"
	IconBook      IconName = "book"
	IconCalendar  IconName = "calendar"
	IconChart     IconName = "chart"
	IconChat      IconName = "chat"
	IconCheckList IconName = "check-list"
	IconClock     IconName = "clock"
	IconClose     IconName = "close"
	IconCloudOff  IconName = "cloud-off"
	IconConnect   IconName = "connect"
	IconCopy      IconName = "copy"
	IconCorner    IconName = "corner"
	IconCrossDisc IconName = "cross-disc"
	IconDocument  IconName = "document"
	IconDown      IconName = "down"
	IconDrop      IconName = "drop"
	IconEdit      IconName = "edit"
	IconEnded     IconName = "ended"
	IconErrorRing IconName = "error-ring"
	IconExternal  IconName = "external"
	IconEye       IconName = "eye"
	IconEyeOff    IconName = "eye-off"
	IconFolder    IconName = "folder"
	IconForward   IconName = "forward"
	IconHelp      IconName = "help"
	IconInfo      IconName = "info"
	IconKey       IconName = "key"
	IconKeyOff    IconName = "key-off"
	IconLock      IconName = "lock"
	IconLockOpen  IconName = "lock-open"
	IconLogin     IconName = "login"
	IconMinusDisc IconName = "minus-disc"
	IconMore      IconName = "more"
	IconNext      IconName = "next"
	IconPaste     IconName = "paste"
	IconPicture   IconName = "picture"
	IconRefresh   IconName = "refresh"
	IconRenew     IconName = "renew"
	IconSearch    IconName = "search"
	IconSend      IconName = "send"
	IconSettings  IconName = "settings"
	IconShield    IconName = "shield"
	IconStopwatch IconName = "stopwatch"
	IconTick      IconName = "tick"
	IconTickDisc  IconName = "tick-disc"
	IconUnlink    IconName = "unlink"
	IconUp        IconName = "up"
	IconWarning   IconName = "warning"
	IconWindow    IconName = "window"
	IconBoxOff    IconName = "box-off"
	IconBoxOn     IconName = "box-on"
	IconRadioOff  IconName = "radio-off"
	IconRadioOn   IconName = "radio-on"
)

// Icons lists all names, sorted.
func Icons() []IconName {
	var names []IconName
	for n := range stock {
		names = append(names, n)
	}
	for n := range drawn {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool { return names[i] < names[j] })
	return names
}

// stock are the toolkit's own.
var stock = map[IconName]fyne.ThemeIconName{
	IconAdd:      fynetheme.IconNameContentAdd,
	IconBack:     fynetheme.IconNameNavigateBack,
	IconCalendar: fynetheme.IconNameCalendar,
	IconClose:    fynetheme.IconNameCancel,
	IconCopy:     fynetheme.IconNameContentCopy,
	IconDocument: fynetheme.IconNameDocument,
	IconEdit:     fynetheme.IconNameDocumentCreate,
	IconEye:      fynetheme.IconNameVisibility,
	IconEyeOff:   fynetheme.IconNameVisibilityOff,
	IconFolder:   fynetheme.IconNameFolderOpen,
	IconForward:  fynetheme.IconNameNavigateNext,
	IconHelp:     fynetheme.IconNameQuestion,
	IconInfo:     fynetheme.IconNameInfo,
	IconLogin:    fynetheme.IconNameLogin,
	IconMore:     fynetheme.IconNameMoreVertical,
	IconPaste:    fynetheme.IconNameContentPaste,
	IconPicture:  fynetheme.IconNameMediaPhoto,
	IconRefresh:  fynetheme.IconNameViewRefresh,
	IconSearch:   fynetheme.IconNameSearch,
	IconSend:     fynetheme.IconNameMailSend,
	IconSettings: fynetheme.IconNameSettings,
	IconTick:     fynetheme.IconNameConfirm,
}

// Icon gives the icon in that colour. An unknown name is an empty picture; a
// test walks all names.
func Icon(name IconName, colour fyne.ThemeColorName) fyne.Resource {
	if s, ok := stock[name]; ok {
		return fynetheme.NewColoredResource(fynetheme.DefaultTheme().Icon(s), colour)
	}
	if shape, ok := shapes[name]; ok {
		return fynetheme.NewColoredResource(shape, colour)
	}
	return blank
}

// blank is an empty picture.
var blank = fyne.NewStaticResource("tk-blank.svg", (&pen{}).svg())

var shapes = func() map[IconName]fyne.Resource {
	m := map[IconName]fyne.Resource{}
	for name, draw := range drawn {
		var p pen
		draw(&p)
		m[name] = fyne.NewStaticResource("tk-"+string(name)+".svg", p.svg())
	}
	return m
}()

// pen draws filled outlines on a square of 24. The toolkit's renderer colours
// fills and no strokes, and mishandles some arcs, hence polygons throughout.
type pen struct{ path strings.Builder }

type at struct{ x, y float64 }

func (p *pen) svg() []byte {
	if p.path.Len() == 0 {
		p.path.WriteString("M0 0Z")
	}
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24"><path d="` + strings.TrimSpace(p.path.String()) + `"/></svg>`)
}

// outline adds a filled polygon; a hole turns the other way round, so that it
// cuts out what it overlaps.
func (p *pen) outline(hole bool, points []at) {
	area := 0.0
	for i, a := range points {
		b := points[(i+1)%len(points)]
		area += a.x*b.y - b.x*a.y
	}
	if (area < 0) != hole {
		for i, j := 0, len(points)-1; i < j; i, j = i+1, j-1 {
			points[i], points[j] = points[j], points[i]
		}
	}
	for i, a := range points {
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		p.path.WriteString(letter + short(a.x) + " " + short(a.y))
	}
	p.path.WriteString("Z ")
}

func short(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

func round(cx, cy, r, from, to float64) []at {
	steps := max(6, int(math.Abs(to-from)/7.5))
	var points []at
	for i := 0; i <= steps; i++ {
		a := (from + (to-from)*float64(i)/float64(steps)) * math.Pi / 180
		points = append(points, at{cx + r*math.Cos(a), cy + r*math.Sin(a)})
	}
	return points
}

func (p *pen) disc(cx, cy, r float64) { p.outline(false, round(cx, cy, r, 0, 352.5)) }
func (p *pen) bore(cx, cy, r float64) { p.outline(true, round(cx, cy, r, 0, 352.5)) }

func (p *pen) ring(cx, cy, r, w float64) {
	p.disc(cx, cy, r+w/2)
	p.bore(cx, cy, r-w/2)
}

// arc is a piece of a ring, degrees clockwise from the right.
func (p *pen) arc(cx, cy, r, w, from, to float64) {
	points := round(cx, cy, r+w/2, from, to)
	p.outline(false, append(points, round(cx, cy, r-w/2, to, from)...))
}

func (p *pen) box(x, y, w, h float64) {
	p.outline(false, []at{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}})
}
func (p *pen) slot(x, y, w, h float64) {
	p.outline(true, []at{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}})
}
func (p *pen) frame(x, y, w, h, t float64) {
	p.box(x, y, w, h)
	p.slot(x+t, y+t, w-2*t, h-2*t)
}
func (p *pen) shape(points ...at) { p.outline(false, points) }

// line is a stroke of that width through the points, mitred.
func (p *pen) line(w float64, points ...at) { p.outline(false, stroke(w, points)) }

// cut is a line taken out of what lies under it.
func (p *pen) cut(w float64, points ...at) { p.outline(true, stroke(w, points)) }

func stroke(w float64, points []at) []at {
	var left, right []at
	for i, c := range points {
		var before, after at
		if i > 0 {
			before = unit(points[i-1], c)
		}
		if i < len(points)-1 {
			after = unit(c, points[i+1])
		}
		if i == 0 {
			before = after
		}
		if i == len(points)-1 {
			after = before
		}
		nx, ny := -(before.y + after.y), before.x+after.x
		length := math.Hypot(nx, ny)
		nx, ny = nx/length, ny/length
		// Along the bisector the edge is further away than half the width.
		reach := w / 2 / max(0.35, nx*-before.y+ny*before.x)
		left = append(left, at{c.x + nx*reach, c.y + ny*reach})
		right = append([]at{{c.x - nx*reach, c.y - ny*reach}}, right...)
	}
	return append(left, right...)
}

func unit(a, b at) at {
	d := math.Hypot(b.x-a.x, b.y-a.y)
	return at{(b.x - a.x) / d, (b.y - a.y) / d}
}

var drawn = map[IconName]func(*pen){
	IconAccounts: func(p *pen) {
		p.disc(9, 8, 3.6)
		p.shape(append(round(9, 19, 7, 180, 360), at{16, 19}, at{2, 19})...)
		p.arc(16.2, 8, 2.6, 2, -100, 110)
		p.shape(at{17.2, 13.2}, at{20, 14.4}, at{22, 16.6}, at{22, 19}, at{17.8, 19}, at{17.8, 16.6})
	},
	IconApps: func(p *pen) {
		for _, y := range []float64{4, 10, 16} {
			for _, x := range []float64{4, 10, 16} {
				p.box(x, y, 4, 4)
			}
		}
	},
	IconBadge: func(p *pen) {
		p.box(3, 7, 18, 13)
		p.box(10, 3, 4, 5)
		p.bore(8.5, 12, 1.8)
		p.slot(5.5, 15, 6, 2)
		p.slot(13.5, 11, 5, 1.6)
		p.slot(13.5, 14.5, 5, 1.6)
	},
	IconBell: func(p *pen) {
		p.shape(append(round(12, 10.5, 6, 180, 360), at{18, 16}, at{20, 18}, at{20, 19}, at{4, 19}, at{4, 18}, at{6, 16})...)
		p.disc(12, 4, 1.5)
		p.shape(round(12, 20, 2.2, 0, 180)...)
	},
	IconBook: func(p *pen) {
		p.line(2, at{12, 7}, at{8, 5.2}, at{3, 5.2}, at{3, 18.4}, at{8, 18.4}, at{12, 20})
		p.shape(at{11.2, 6.6}, at{16, 4.2}, at{22, 4.2}, at{22, 19.4}, at{16, 19.4}, at{11.2, 21})
		p.slot(14.5, 8, 5, 1.4)
		p.slot(14.5, 11.2, 5, 1.4)
		p.slot(14.5, 14.4, 5, 1.4)
	},
	IconChart: func(p *pen) {
		p.line(2, at{3, 17}, at{9, 11}, at{13, 15}, at{21, 6})
		for _, c := range []at{{3, 17}, {9, 11}, {13, 15}, {21, 6}} {
			p.disc(c.x, c.y, 2)
		}
	},
	IconChat: func(p *pen) {
		p.shape(at{3, 3}, at{17, 3}, at{17, 13}, at{7, 13}, at{3, 17})
		p.shape(at{19, 7}, at{21.5, 7}, at{21.5, 21}, at{18, 18}, at{7, 18}, at{7, 15.2}, at{19, 15.2})
	},
	IconCheckList: func(p *pen) {
		p.box(3, 4, 18, 16)
		p.slot(5.5, 8, 5, 1.8)
		p.slot(5.5, 12, 5, 1.8)
		p.cut(1.8, at{12, 13.4}, at{14.4, 15.8}, at{19, 10.6})
	},
	IconClock: func(p *pen) {
		p.ring(12, 12, 9, 2)
		p.line(2, at{12, 6.5}, at{12, 12.4}, at{16, 14.8})
	},
	IconCloudOff: func(p *pen) {
		p.arc(10, 11, 5.2, 2, 185, 300)
		p.arc(17.6, 14.6, 3.4, 2, -70, 60)
		p.arc(6.6, 14.6, 3.4, 2, 90, 230)
		p.line(2, at{6.6, 18}, at{16.5, 18})
		p.line(2, at{3.5, 4}, at{20.5, 21})
	},
	IconConnect: func(p *pen) {
		p.arc(8, 12, 4.2, 2, 60, 300)
		p.arc(16, 12, 4.2, 2, -120, 20)
		p.line(2, at{8.5, 12}, at{15.5, 12})
		p.line(2, at{18.5, 14}, at{18.5, 21})
		p.line(2, at{15, 17.5}, at{22, 17.5})
	},
	IconCorner: func(p *pen) {
		p.line(2, at{5, 4}, at{5, 14}, at{18, 14})
		p.line(2, at{14.5, 9.5}, at{19, 14}, at{14.5, 18.5})
	},
	IconCrossDisc: func(p *pen) {
		p.disc(12, 12, 10)
		p.cut(2, at{8.2, 8.2}, at{15.8, 15.8})
		p.cut(2, at{15.8, 8.2}, at{12.8, 11.2})
		p.cut(2, at{11.2, 12.8}, at{8.2, 15.8})
	},
	IconDrop: func(p *pen) { p.shape(at{7, 10}, at{17, 10}, at{12, 15}) },
	IconDown: func(p *pen) { p.line(2, at{6.5, 9.5}, at{12, 15}, at{17.5, 9.5}) },
	IconUp:   func(p *pen) { p.line(2, at{6.5, 14.5}, at{12, 9}, at{17.5, 14.5}) },
	IconNext: func(p *pen) { p.line(2, at{9.5, 6.5}, at{15, 12}, at{9.5, 17.5}) },
	IconEnded: func(p *pen) {
		p.box(6, 3, 12, 2)
		p.box(6, 19, 12, 2)
		p.line(1.8, at{16.6, 4}, at{16.6, 7.4}, at{12.6, 11.4})
		p.line(1.8, at{7.4, 20}, at{7.4, 16.6}, at{11.4, 12.6})
		p.line(1.8, at{16.6, 20}, at{16.6, 17.6})
		p.line(2, at{3.5, 3.5}, at{20.5, 20.5})
	},
	IconErrorRing: func(p *pen) {
		p.ring(12, 12, 9, 2)
		p.box(11, 7, 2, 6.4)
		p.disc(12, 16.4, 1.25)
	},
	IconExternal: func(p *pen) {
		p.line(2, at{12, 4}, at{4, 4}, at{4, 20}, at{20, 20}, at{20, 12})
		p.line(2, at{10, 14}, at{20, 4})
		p.line(2, at{14, 4}, at{20, 4}, at{20, 10})
	},
	IconKey: func(p *pen) {
		p.ring(7.5, 12, 3.6, 2.6)
		p.box(11, 10.7, 11, 2.6)
		p.box(16.4, 12, 2.4, 4.6)
		p.box(19.6, 12, 2.4, 4)
	},
	IconKeyOff: func(p *pen) {
		p.ring(7.5, 12, 3.6, 2.6)
		p.box(14, 10.7, 8, 2.6)
		p.box(18.6, 12, 2.4, 4.4)
		p.line(2, at{3.5, 3.5}, at{20.5, 20.5})
	},
	IconLock: func(p *pen) {
		p.box(4.5, 9.5, 15, 12)
		p.bore(12, 15.5, 1.8)
		p.arc(12, 7, 4, 2, 180, 360)
		p.box(7, 7, 2, 3)
		p.box(15, 7, 2, 3)
	},
	IconLockOpen: func(p *pen) {
		p.frame(4.5, 9.5, 15, 12, 2)
		p.disc(12, 15.5, 1.8)
		p.arc(12, 6.2, 4, 2, 190, 360)
		p.box(15, 6.2, 2, 4)
	},
	IconMinusDisc: func(p *pen) {
		p.disc(12, 12, 10)
		p.slot(7, 11, 10, 2)
	},
	IconRenew: func(p *pen) {
		p.arc(12, 12, 7, 2, -30, 95)
		p.arc(12, 12, 7, 2, 150, 275)
		p.shape(at{12, 1.6}, at{16.4, 5.2}, at{12, 8.8})
		p.shape(at{12, 22.4}, at{7.6, 18.8}, at{12, 15.2})
	},
	IconShield: func(p *pen) {
		p.shape(at{12, 1.8}, at{20.5, 5}, at{20.5, 11.5}, at{18.6, 16.4}, at{15.6, 20}, at{12, 22.2}, at{8.4, 20}, at{5.4, 16.4}, at{3.5, 11.5}, at{3.5, 5})
		p.cut(2, at{7.6, 12}, at{10.8, 15.2}, at{16.6, 8.8})
	},
	IconStopwatch: func(p *pen) {
		p.disc(12, 13.5, 8.4)
		p.slot(11, 9, 2, 5.6)
		p.box(9, 1.4, 6, 2.2)
		p.line(2, at{18.4, 5.6}, at{20.4, 7.6})
	},
	IconTickDisc: func(p *pen) {
		p.disc(12, 12, 10)
		p.cut(2, at{7.2, 12.2}, at{10.5, 15.5}, at{16.8, 9})
	},
	IconUnlink: func(p *pen) {
		p.arc(7.5, 12, 4.2, 2, 70, 290)
		p.arc(16.5, 12, 4.2, 2, -110, 110)
		p.line(2, at{3.5, 3.5}, at{20.5, 20.5})
	},
	IconWarning: func(p *pen) {
		p.line(2, at{12, 4}, at{2.8, 20}, at{21.2, 20}, at{12, 4}, at{11.9, 4.2})
		p.box(11, 9.6, 2, 5)
		p.disc(12, 17.2, 1.2)
	},
	IconWindow: func(p *pen) {
		p.frame(3, 4.5, 18, 15, 2)
		p.box(4, 8.4, 16, 1.8)
		p.box(13.6, 9, 1.8, 9)
	},
	IconBoxOff: func(p *pen) { p.frame(3, 3, 18, 18, 2) },
	IconBoxOn: func(p *pen) {
		p.box(3, 3, 18, 18)
		p.cut(2.2, at{6.8, 12.2}, at{10.4, 15.8}, at{17.4, 8.6})
	},
	IconRadioOff: func(p *pen) { p.ring(12, 12, 9, 2) },
	IconRadioOn: func(p *pen) {
		p.ring(12, 12, 9, 2)
		p.disc(12, 12, 5)
	},
}
