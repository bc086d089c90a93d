package kit

import (
	"testing"
	"time"
)

// A motion takes the pictures that the machine can afford: thirty a second
// where painting is cheap, few where it is dear, and never none.
func TestThePaceFollowsWhatAPictureCosts(t *testing.T) {
	for _, row := range []struct {
		name        string
		cost        time.Duration
		least, most int
	}{
		{"a graphics card", 0, 25, 31},
		{"a busy card", 5 * time.Millisecond, 10, 20},
		{"no card", 40 * time.Millisecond, 1, 3},
		{"no card and a crowd", 200 * time.Millisecond, 0, 2},
	} {
		p, now, pictures := &pace{}, time.Unix(0, 0), 0
		for end := now.Add(10 * time.Second); now.Before(end); now = now.Add(tick) {
			if p.due(now) {
				pictures++
				now = now.Add(row.cost)
			}
		}
		if a := pictures / 10; a < row.least || a > row.most || pictures == 0 {
			t.Errorf("%s: %d pictures in 10 s, want %d to %d a second", row.name, pictures, row.least, row.most)
		}
	}
}
