package theme

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Our own size names, beside the toolkit's.
const (
	SizeTitle        fyne.ThemeSizeName = "tkTitle"
	SizeMicro        fyne.ThemeSizeName = "tkMicro"
	SizeControl      fyne.ThemeSizeName = "tkControl"
	SizeFilterChip   fyne.ThemeSizeName = "tkFilterChip"
	SizeStatusChip   fyne.ThemeSizeName = "tkStatusChip"
	SizeRailItem     fyne.ThemeSizeName = "tkRailItem"
	SizeRow          fyne.ThemeSizeName = "tkRow"
	SizeRowNarrow    fyne.ThemeSizeName = "tkRowNarrow"
	SizeFooter       fyne.ThemeSizeName = "tkFooter"
	SizeLifeBar      fyne.ThemeSizeName = "tkLifeBar"
	SizeThin         fyne.ThemeSizeName = "tkThin"
	SizeButtonIcon   fyne.ThemeSizeName = "tkButtonIcon"
	SizeHintIcon     fyne.ThemeSizeName = "tkHintIcon"
	SizeChipIcon     fyne.ThemeSizeName = "tkChipIcon"
	SizeNoticeRadius fyne.ThemeSizeName = "tkNoticeRadius"
	SizeRing         fyne.ThemeSizeName = "tkRing"
	SizeHeading                         = fynetheme.SizeNameHeadingText
	SizeSubheading                      = fynetheme.SizeNameSubHeadingText
	SizeText                            = fynetheme.SizeNameText
	SizeCaption                         = fynetheme.SizeNameCaptionText
	SizeIcon                            = fynetheme.SizeNameInlineIcon
)

// scaled follows the text scale.
var scaled = map[fyne.ThemeSizeName]float32{
	fynetheme.SizeNameHeadingText:    24,
	fynetheme.SizeNameSubHeadingText: 18,
	SizeTitle:                        16,
	fynetheme.SizeNameText:           14,
	fynetheme.SizeNameCaptionText:    12,
	SizeMicro:                        11,
	fynetheme.SizeNameInlineIcon:     20,
	SizeButtonIcon:                   18,
	SizeHintIcon:                     16,
	SizeChipIcon:                     15,
	fynetheme.SizeNameInnerPadding:   8,
	fynetheme.SizeNameLineSpacing:    4,
	SizeControl:                      36,
	SizeFilterChip:                   32,
	SizeStatusChip:                   24,
	SizeRailItem:                     40,
	SizeRow:                          76,
	SizeRowNarrow:                    72,
	SizeFooter:                       68,
	SizeLifeBar:                      6,
	SizeThin:                         4,
}

// fixed does not.
var fixed = map[fyne.ThemeSizeName]float32{
	fynetheme.SizeNamePadding:            4,
	fynetheme.SizeNameInputBorder:        1,
	fynetheme.SizeNameSeparatorThickness: 1,
	fynetheme.SizeNameModalBlurRadius:    0,
	fynetheme.SizeNameScrollBar:          10,
	fynetheme.SizeNameScrollBarSmall:     4,
	fynetheme.SizeNameScrollBarRadius:    2,
	fynetheme.SizeNameInputRadius:        8,
	fynetheme.SizeNameButtonRadius:       8,
	fynetheme.SizeNameSelectionRadius:    8,
	fynetheme.SizeNamePopupRadius:        8,
	fynetheme.SizeNameMenuRadius:         8,
	fynetheme.SizeNameCardRadius:         12,
	fynetheme.SizeNameDialogRadius:       16,
	SizeNoticeRadius:                     10,
	SizeRing:                             2,
}
