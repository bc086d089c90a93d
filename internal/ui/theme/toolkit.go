package theme

import (
	"encoding/json"
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"github.com/tokenkeep/tokenkeep/internal/text"
)

// toolkitWords are all words that the toolkit asks for, with our keys of them.
var toolkitWords = map[string]string{
	"Advanced":          "toolkit.advanced",
	"Cancel":            "toolkit.cancel",
	"Confirm":           "toolkit.confirm",
	"Copy":              "toolkit.copy",
	"Create Folder":     "toolkit.create_folder",
	"Cut":               "toolkit.cut",
	"Enter filename":    "toolkit.enter_filename",
	"Error":             "toolkit.error",
	"Favourites":        "toolkit.favourites",
	"File":              "toolkit.file",
	"Folder":            "toolkit.folder",
	"New Folder":        "toolkit.new_folder",
	"No":                "toolkit.no",
	"OK":                "toolkit.ok",
	"Open":              "toolkit.open",
	"Paste":             "toolkit.paste",
	"Quit":              "toolkit.quit",
	"Redo":              "toolkit.redo",
	"Save":              "toolkit.save",
	"Select all":        "toolkit.select_all",
	"Show Hidden Files": "toolkit.show_hidden_files",
	"Undo":              "toolkit.undo",
	"Yes":               "toolkit.yes",
	"file.name":         "toolkit.file_name",
	"file.parent":       "toolkit.file_parent",
	"monday":            "toolkit.monday",
	"monday.short":      "toolkit.monday_short",
	"tuesday":           "toolkit.tuesday",
	"tuesday.short":     "toolkit.tuesday_short",
	"wednesday":         "toolkit.wednesday",
	"wednesday.short":   "toolkit.wednesday_short",
	"thursday":          "toolkit.thursday",
	"thursday.short":    "toolkit.thursday_short",
	"friday":            "toolkit.friday",
	"friday.short":      "toolkit.friday_short",
	"saturday":          "toolkit.saturday",
	"saturday.short":    "toolkit.saturday_short",
	"sunday":            "toolkit.sunday",
	"sunday.short":      "toolkit.sunday_short",
}

// toolkitLanguages are the languages that the toolkit brings words of its own
// for. It follows the system's language and cannot be told another, so ours
// replaces every one of them: whichever it picks, it says our words.
var toolkitLanguages = []fyne.Locale{"en", "cs", "de", "el", "es", "fr", "ja", "pl", "pt", "pt-BR", "ru", "sv", "ta", "uk", "zh-Hans"}

// Speak gives the toolkit's own few words the language of the catalogue.
// Call it before the first window, and again when the person chooses another
// language; menus opened later follow.
func Speak(c *text.Catalogue) error {
	words := map[string]map[string]string{}
	for theirs, ours := range toolkitWords {
		words[theirs] = map[string]string{"other": c.Say(ours)}
	}
	data, err := json.Marshal(words)
	if err != nil {
		return err
	}
	for _, l := range toolkitLanguages {
		err = errors.Join(err, lang.AddTranslationsForLocale(data, l))
	}
	return err
}
