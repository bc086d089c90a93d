package kit

import (
	"fyne.io/fyne/v2"

	"github.com/tokenkeep/tokenkeep/internal/ui/theme"
)

// Tone is how something reads at a glance; words always stand beside it.
type Tone int

// The tones, in the order of package ui's.
const (
	Neutral Tone = iota
	Fine
	Info
	Warn
	Bad
	// Quiet is a notice on the inset ground.
	Quiet
)

func (t Tone) ink() fyne.ThemeColorName {
	return [...]fyne.ThemeColorName{theme.ColorNeutral, theme.ColorSuccess, theme.ColorPrimary, theme.ColorWarning, theme.ColorError, theme.ColorMuted}[t]
}

func (t Tone) soft() fyne.ThemeColorName {
	return [...]fyne.ThemeColorName{theme.ColorNeutralSoft, theme.ColorSuccessSoft, theme.ColorPrimarySoft, theme.ColorWarningSoft, theme.ColorErrorSoft, theme.ColorInset}[t]
}

func (t Tone) bar() fyne.ThemeColorName {
	return [...]fyne.ThemeColorName{theme.ColorNeutral, theme.ColorSuccessBar, theme.ColorPrimary, theme.ColorWarningBar, theme.ColorErrorBar, theme.ColorMuted}[t]
}

func (t Tone) icon() theme.IconName {
	return [...]theme.IconName{theme.IconInfo, theme.IconTickDisc, theme.IconInfo, theme.IconWarning, theme.IconErrorRing, theme.IconInfo}[t]
}

// Ink is the tone's colour for text and icons.
func (t Tone) Ink() fyne.ThemeColorName { return t.ink() }
