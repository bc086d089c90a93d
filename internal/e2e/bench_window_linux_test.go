package e2e

import (
	"bufio"
	"fmt"
	"image"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the window costs beyond an empty window of the same toolkit, size and
// build, in the same run on the same screen. The gates are ratios of medians.
const (
	startBound  = 1.5
	memoryBound = 1.3
	idleBound   = 1.2

	startRounds  = 25
	memoryRounds = 5
	idleTime     = 30 * time.Second
)

func TestBenchWindow(t *testing.T) {
	ours := program(t, "tokenkeep", "x11")
	empty := programAt(t, "emptywindow", "x11", "./internal/e2e/testdata/emptywindow")
	d := newDesktop(t, options{})
	open := func(path string) (*process, float64) {
		began := time.Now()
		p := d.start("measured", []string{path}, nil)
		return p, d.painted(p, began)
	}
	// The first start reads the programs from the disk and is not counted.
	for _, path := range []string{ours, empty} {
		p, _ := open(path)
		p.stop()
	}
	var startOurs, startEmpty, memoryOurs, memoryEmpty []float64
	for round := range startRounds {
		pair := []struct {
			path          string
			start, memory *[]float64
		}{{ours, &startOurs, &memoryOurs}, {empty, &startEmpty, &memoryEmpty}}
		if round%2 == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		for _, one := range pair {
			p, took := open(one.path)
			*one.start = append(*one.start, took)
			if round < memoryRounds {
				time.Sleep(2 * time.Second) // the keychain's child and the first list are there
				*one.memory = append(*one.memory, memoryOf(t, p))
			}
			p.stop()
		}
	}
	compare(t, "start to first painted frame", "ms", startOurs, startEmpty, startBound)
	compare(t, "memory (PSS, with children)", "MB", memoryOurs, memoryEmpty, memoryBound)

	// Both stand idle at the same time, so that whatever else the machine does
	// falls on both.
	a, _ := open(ours)
	b, _ := open(empty)
	time.Sleep(3 * time.Second)
	var idleOurs, idleEmpty []float64
	for range 3 {
		beforeA, beforeB := processorOf(t, a), processorOf(t, b)
		time.Sleep(idleTime / 3)
		idleOurs, idleEmpty = append(idleOurs, processorOf(t, a)-beforeA), append(idleEmpty, processorOf(t, b)-beforeB)
	}
	compare(t, fmt.Sprintf("idle processor time in %s", idleTime/3), "ms", idleOurs, idleEmpty, idleBound)
}

func compare(t *testing.T, what, unit string, ours, floor []float64, bound float64) {
	t.Helper()
	a, b := spread(ours), spread(floor)
	ratio := a.median / b.median
	tell("%s: %.0f [%.0f to %.0f] %s against %.0f [%.0f to %.0f] of an empty window, ratio %.2f (at most %.1f), %d rounds",
		what, a.median, a.least, a.most, unit, b.median, b.least, b.most, ratio, bound, len(ours))
	if ratio > bound {
		t.Errorf("%s: the ratio is %.2f, the bound is %.1f", what, ratio, bound)
	}
}

// painted waits until the window's top left corner, where both programs have
// words, shows more than a background, and returns the milliseconds.
func (d *desktop) painted(p *process, began time.Time) float64 {
	d.t.Helper()
	for time.Since(began) < 20*time.Second {
		for _, w := range d.screen.windows() {
			if w.pid != p.pid() {
				continue
			}
			corner := image.Rectangle{Min: w.area.Min, Max: w.area.Min.Add(image.Pt(200, 60))}
			if colours(d.screen.look(corner), 13) > 12 {
				return milliseconds(time.Since(began))
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	d.t.Fatalf("%s painted nothing in 20 s\n%s", p.name, p.words())
	return 0
}

// memoryOf is the proportional set size of a process and its descendants, in MB.
func memoryOf(t *testing.T, p *process) float64 {
	t.Helper()
	total := pss(t, p.pid())
	for _, child := range descendants(allProcesses(), p.pid()) {
		total += pss(t, child.pid)
	}
	return total / 1024
}

func pss(t *testing.T, pid int) float64 {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0 // ended meanwhile
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "Pss:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// processorOf is the processor time of a process and its descendants, in ms.
func processorOf(t *testing.T, p *process) float64 {
	t.Helper()
	total := 0.0
	for _, one := range append([]inspected{{pid: p.pid()}}, descendants(allProcesses(), p.pid())...) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", one.pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		user, err1 := strconv.ParseFloat(fields[11], 64)
		system, err2 := strconv.ParseFloat(fields[12], 64)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		total += (user + system) * 10 // 100 ticks a second, on every Linux
	}
	return total
}
