package theme

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Our own colour names, beside the toolkit's.
const (
	ColorRail        fyne.ThemeColorName = "tkRail"
	ColorSurface     fyne.ThemeColorName = "tkSurface"
	ColorInset       fyne.ThemeColorName = "tkInset"
	ColorMuted       fyne.ThemeColorName = "tkMuted"
	ColorPrimarySoft fyne.ThemeColorName = "tkPrimarySoft"
	ColorSuccessSoft fyne.ThemeColorName = "tkSuccessSoft"
	ColorSuccessBar  fyne.ThemeColorName = "tkSuccessBar"
	ColorWarningSoft fyne.ThemeColorName = "tkWarningSoft"
	ColorWarningBar  fyne.ThemeColorName = "tkWarningBar"
	ColorErrorSoft   fyne.ThemeColorName = "tkErrorSoft"
	ColorErrorBar    fyne.ThemeColorName = "tkErrorBar"
	ColorNeutral     fyne.ThemeColorName = "tkNeutral"
	ColorNeutralSoft fyne.ThemeColorName = "tkNeutralSoft"
	ColorSand        fyne.ThemeColorName = "tkSand"
	ColorSandInk     fyne.ThemeColorName = "tkSandInk"
	ColorInk         fyne.ThemeColorName = "tkInk"
	ColorInkLight    fyne.ThemeColorName = "tkInkLight"
	ColorOnAvatar    fyne.ThemeColorName = "tkOnAvatar"
	ColorScrim       fyne.ThemeColorName = "tkScrim"
	ColorTransparent fyne.ThemeColorName = "tkTransparent"
	ColorFg                              = fynetheme.ColorNameForeground
	ColorBg                              = fynetheme.ColorNameBackground
	ColorPrimary                         = fynetheme.ColorNamePrimary
	ColorOnPrimary                       = fynetheme.ColorNameForegroundOnPrimary
	ColorSuccess                         = fynetheme.ColorNameSuccess
	ColorWarning                         = fynetheme.ColorNameWarning
	ColorError                           = fynetheme.ColorNameError
	ColorBorder                          = fynetheme.ColorNameSeparator
	ColorInputBorder                     = fynetheme.ColorNameInputBorder
	ColorButton                          = fynetheme.ColorNameButton
	ColorDisabled                        = fynetheme.ColorNameDisabled
	ColorPlaceholder                     = fynetheme.ColorNamePlaceHolder
)

// avatars are the grounds of the initials, the same in light and dark.
var avatars = []uint32{0x8C4A5B, 0x2F6F73, 0x8A5A2B, 0x3F5E96, 0x5B4B8A, 0x4A6741}

// Avatar is the ground behind the initials of a username, chosen by a hash of
// it, so that an account keeps its colour.
func Avatar(username string) color.Color {
	// FNV-1a, written out: the colour of an account must never change with a
	// library.
	username = strings.TrimPrefix(username, "@")
	h := uint32(2166136261)
	for i := 0; i < len(username); i++ {
		h = (h ^ uint32(username[i])) * 16777619
	}
	return rgb(avatars[(h>>8)%uint32(len(avatars))])
}

type pair struct{ light, dark color.NRGBA }

func rgb(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}
}

func same(light, dark uint32) pair { return pair{rgb(light), rgb(dark)} }

func faint(light uint32, lightShare float32, dark uint32, darkShare float32) pair {
	p := same(light, dark)
	p.light.A, p.dark.A = uint8(lightShare*255+0.5), uint8(darkShare*255+0.5)
	return p
}

var colours = map[fyne.ThemeColorName]pair{
	fynetheme.ColorNameBackground:                same(0xF7F5F1, 0x15181E),
	ColorRail:                                    same(0xEEEBE4, 0x101318),
	ColorSurface:                                 same(0xFFFFFF, 0x1D2129),
	fynetheme.ColorNameInputBackground:           same(0xFFFFFF, 0x1D2129),
	fynetheme.ColorNameOverlayBackground:         same(0xFFFFFF, 0x1D2129),
	fynetheme.ColorNameMenuBackground:            same(0xFFFFFF, 0x1D2129),
	ColorInset:                                   same(0xF4F2ED, 0x262B35),
	fynetheme.ColorNameHeaderBackground:          same(0xF4F2ED, 0x262B35),
	fynetheme.ColorNameButton:                    same(0xECE9E2, 0x2D333E),
	fynetheme.ColorNameDisabledButton:            same(0xECE9E2, 0x2D333E),
	fynetheme.ColorNameSeparator:                 same(0xE2DED5, 0x2E3440),
	fynetheme.ColorNameInnerWindowBorder:         same(0xE2DED5, 0x2E3440),
	fynetheme.ColorNameInnerWindowBorderInactive: same(0xE2DED5, 0x2E3440),
	fynetheme.ColorNameInputBorder:               same(0x888C95, 0x767E8D),
	fynetheme.ColorNameForeground:                same(0x1B2230, 0xE9EBEF),
	ColorMuted:                                   same(0x565E6C, 0xAAB1BE),
	fynetheme.ColorNamePlaceHolder:               same(0x666D7A, 0x98A0AE),
	fynetheme.ColorNameDisabled:                  same(0x9A9EA6, 0x626A78),
	fynetheme.ColorNamePrimary:                   same(0x2C4A86, 0x9AB5F0),
	fynetheme.ColorNameHyperlink:                 same(0x2C4A86, 0x9AB5F0),
	fynetheme.ColorNameForegroundOnPrimary:       same(0xFFFFFF, 0x10203F),
	ColorPrimarySoft:                             same(0xE4EAF6, 0x25314C),
	fynetheme.ColorNameSelection:                 same(0xE4EAF6, 0x25314C),
	fynetheme.ColorNameSuccess:                   same(0x1E6E44, 0x84D4A6),
	fynetheme.ColorNameForegroundOnSuccess:       same(0xFFFFFF, 0x0C2417),
	ColorSuccessSoft:                             same(0xE1F1E7, 0x1A3327),
	ColorSuccessBar:                              same(0x2F8F5B, 0x5DB885),
	fynetheme.ColorNameWarning:                   same(0x855000, 0xEFBF70),
	fynetheme.ColorNameForegroundOnWarning:       same(0xFFFFFF, 0x2B1D03),
	ColorWarningSoft:                             same(0xFBEED3, 0x3A2F1A),
	ColorWarningBar:                              same(0xB26C00, 0xD99A33),
	fynetheme.ColorNameError:                     same(0xA62A20, 0xF3A097),
	fynetheme.ColorNameForegroundOnError:         same(0xFFFFFF, 0x370D09),
	ColorErrorSoft:                               same(0xFAE6E3, 0x402422),
	ColorErrorBar:                                same(0xC4483C, 0xDD7469),
	ColorNeutral:                                 same(0x4A5160, 0xBAC0CB),
	ColorNeutralSoft:                             same(0xE8E5DF, 0x303643),
	fynetheme.ColorNameFocus:                     faint(0x2C4A86, 0.40, 0x9AB5F0, 0.40),
	fynetheme.ColorNameHover:                     faint(0x1B2230, 0.06, 0xFFFFFF, 0.08),
	fynetheme.ColorNamePressed:                   faint(0x1B2230, 0.12, 0xFFFFFF, 0.16),
	fynetheme.ColorNameShadow:                    faint(0x231E14, 0.10, 0x000000, 0.35),
	fynetheme.ColorNameScrollBar:                 faint(0x565E6C, 0.60, 0xAAB1BE, 0.60),
	fynetheme.ColorNameScrollBarBackground:       faint(0x565E6C, 0.10, 0xAAB1BE, 0.10),
	ColorSand:                                    same(0xE8B04B, 0xE8B04B),
	// Words on sand are the light theme's foreground in both themes: 8.0 to 1.
	ColorSandInk:  same(0x1B2230, 0x1B2230),
	ColorInk:      same(0x24407A, 0x5C7FC9),
	ColorInkLight: same(0xB4C4E4, 0x3A4C74),
	ColorOnAvatar: same(0xFFFFFF, 0xFFFFFF),
	// The scrim behind a dialog, measured from its picture.
	ColorScrim:       faint(0x1B2230, 0.38, 0x000000, 0.55),
	ColorTransparent: faint(0x000000, 0, 0x000000, 0),
}
