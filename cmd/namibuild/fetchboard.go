package main

import (
	"fmt"
	"strings"
	"sync"

	"namibuild/builder/event"
	"namibuild/builder/recipe"
)

// fetchBoard shows several fetches as one step: a line for each that has ended, and how far
// the others are, each and together.
type fetchBoard struct {
	d     *display
	names []string
	tell  func(event.Event)

	mu          sync.Mutex
	done, total []int64
	open        int
}

// newFetchBoard makes the board for the fetches of some recipes. It turns their events into
// those that tell takes.
func newFetchBoard(d *display, recipes []recipe.Recipe, tell event.Sink) *fetchBoard {
	b := &fetchBoard{d: d, tell: tell, open: len(recipes), done: make([]int64, len(recipes)), total: make([]int64, len(recipes))}
	for _, r := range recipes {
		b.names = append(b.names, r.Name)
	}
	if b.open > 1 {
		tell(event.Event{Kind: event.Begin, Step: event.Source, Text: fmt.Sprintf("of %d recipes: %s", b.open, strings.Join(b.names, ", "))})
	}
	return b
}

// teller returns the sink for the events of one fetch. Several may be used at once.
func (b *fetchBoard) teller(i int) event.Sink {
	if len(b.names) == 1 {
		return b.tell
	}
	return func(e event.Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch e.Kind {
		case event.Begin:
		case event.Progress:
			b.progress(i, e)
		case event.End:
			b.end(i, e)
		default:
			e.Text = b.names[i] + ": " + e.Text
			b.tell(e)
		}
	}
}

// progress shows the sum of all fetches, and on a terminal each of them.
func (b *fetchBoard) progress(i int, e event.Event) {
	b.done[i], b.total[i] = e.Done, e.Total
	e.Done, e.Total = 0, 0
	var each []string
	for k, name := range b.names {
		e.Done += b.done[k]
		e.Total += max(b.total[k], b.done[k])
		if b.total[k] > 0 && b.done[k] < b.total[k] {
			each = append(each, fmt.Sprintf("%s %d%%", name, b.done[k]*100/b.total[k]))
		}
	}
	if b.d.style == live {
		b.tell(event.Event{Kind: event.Phase, Step: e.Step, Text: strings.Join(each, "  ")})
	}
	b.tell(e)
}

// end shows a fetch that has ended. The last one ends the step.
func (b *fetchBoard) end(i int, e event.Event) {
	b.done[i] = b.total[i]
	b.d.note(b.names[i] + ": " + e.Text)
	if b.open--; b.open == 0 {
		b.tell(event.Event{Kind: event.End, Step: e.Step, Text: fmt.Sprintf("of %d recipes", len(b.names))})
	}
}
