package prove

import (
	"errors"
	"testing"
)

// TestNilTell checks that Boot and Bench work without a Sink.
func TestNilTell(t *testing.T) {
	o, _, _ := bootable(t, guest(5010))
	o.Tell = nil
	if p, err := Boot(t.Context(), o); err != nil || !p.Passed {
		t.Errorf("Boot: %+v, %v", p.Checks, err)
	}
	b, _ := benchable(t, course)
	b.Tell = nil
	if _, err := Bench(t.Context(), b); err != nil {
		t.Errorf("Bench: %v", err)
	}
}

// TestNilConnect checks that Boot and Bench say that they need an engine.
func TestNilConnect(t *testing.T) {
	o, _, _ := bootable(t, guest(5010))
	o.Connect = nil
	if _, err := Boot(t.Context(), o); !errors.Is(err, ErrNoEngine) {
		t.Errorf("Boot: %v", err)
	}
	b, _ := benchable(t, course)
	b.Connect = nil
	if _, err := Bench(t.Context(), b); !errors.Is(err, ErrNoEngine) {
		t.Errorf("Bench: %v", err)
	}
}
