package text

import (
	"strconv"
	"time"
)

// Date is a day in words, "21 January 2027", in t's own location.
func (c *Catalogue) Date(t time.Time) string {
	return c.Say("date.long", Args{"day": t.Day(), "month": c.month(t), "year": t.Year()})
}

// ShortDate is a day without its year, "3 Nov".
func (c *Catalogue) ShortDate(t time.Time) string {
	return c.Say("date.short", Args{"day": t.Day(), "month": c.Say("month.short." + strconv.Itoa(int(t.Month())))})
}

// Clock is the time of day, "09:14".
func (c *Catalogue) Clock(t time.Time) string { return t.Format("15:04") }

// Moment is day and time in the shortest form that is clear as seen from now:
// "Today, 10:40", "14 Nov, 16:02", with the year when it is another.
func (c *Catalogue) Moment(t, now time.Time) string {
	t = t.In(now.Location())
	day := c.ShortDate(t)
	if t.Year() != now.Year() {
		day = c.Date(t)
	}
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		day = c.Say("date.today")
	}
	return c.Say("date.moment", Args{"day": day, "clock": c.Clock(t)})
}

func (c *Catalogue) month(t time.Time) string {
	return c.Say("month.long." + strconv.Itoa(int(t.Month())))
}
