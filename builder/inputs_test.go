package builder

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
)

// named returns the options with a recipe of another name and source.
func named(o SourceOptions, name string, source recipe.Source) SourceOptions {
	o.Recipe.Name, o.Recipe.Source, o.Engine, o.Tell = name, source, nil, nil
	return o
}

// noConnection is for sources that need no engine.
func noConnection(t *testing.T) func() (Engine, error) {
	return func() (Engine, error) {
		t.Error("an engine was opened")
		return nil, ErrNoEngine
	}
}

// TestInputsSideBySide serves no source before four are asked for, and counts how many of six
// are asked for at once.
func TestInputsSideBySide(t *testing.T) {
	o, _, _ := setup(t)
	var running, most atomic.Int64
	four, reached := make(chan struct{}), sync.Once{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == inputsAtOnce {
			reached.Do(func() { close(four) })
		}
		select {
		case <-four:
		case <-time.After(30 * time.Second):
			http.Error(w, "alone", http.StatusNotFound)
			return
		}
		http.ServeFile(w, r, o.Recipe.Source.File)
	}))
	defer server.Close()
	var all []SourceOptions
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		store, err := fetch.Open(filepath.Join(t.TempDir(), name)) // equal sources share a store's lock
		if err != nil {
			t.Fatal(err)
		}
		one := named(o.SourceOptions, name, recipe.Source{URL: server.URL + "/" + name, SHA256: o.Recipe.Source.SHA256})
		one.Store = store
		all = append(all, one)
	}
	files, err := Inputs(context.Background(), all, noConnection(t))
	if err != nil || most.Load() != inputsAtOnce {
		t.Errorf("%v, %d at once", err, most.Load())
	}
	for i, f := range files {
		if f.SHA256 != o.Recipe.Source.SHA256 || f.Path == "" {
			t.Errorf("source %d: got %+v", i, f)
		}
	}
}

// TestInputsFail shows that a source that fails stops none of the others, and that the
// error names every recipe that has failed.
func TestInputsFail(t *testing.T) {
	o, _, _ := setup(t)
	good := o.Recipe.Source
	gone := recipe.Source{File: filepath.Join(t.TempDir(), "gone.src.rpm"), SHA256: good.SHA256}
	files, err := Inputs(context.Background(), []SourceOptions{
		named(o.SourceOptions, "one", gone), named(o.SourceOptions, "two", good), named(o.SourceOptions, "three", gone),
	}, noConnection(t))
	if files[0].Path != "" || files[1].Path == "" || files[2].Path != "" {
		t.Errorf("got %+v", files)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "one: ") || !strings.Contains(err.Error(), "; three: ") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err = Inputs(context.Background(), []SourceOptions{named(o.SourceOptions, "one", gone)}, noConnection(t))
	if err == nil || strings.Contains(err.Error(), "one: ") {
		t.Errorf("an only recipe is named: %v", err)
	}
}

// TestInputsConnect shows that an engine is opened once, and only for sources that are
// packed in a container.
func TestInputsConnect(t *testing.T) {
	o, _, _ := setup(t)
	pack := recipe.Source{Pack: "demo"}
	down := errors.New("no engine answers")
	opened := 0
	connect := func() (Engine, error) {
		opened++
		return nil, down
	}
	all := []SourceOptions{named(o.SourceOptions, "one", pack), named(o.SourceOptions, "two", o.Recipe.Source), named(o.SourceOptions, "three", pack)}
	files, err := Inputs(context.Background(), all, connect)
	if !errors.Is(err, down) || opened != 1 || files[1].Path == "" {
		t.Errorf("got %v, %d connections, %+v", err, opened, files[1])
	}
	all[0].Offline = true
	if _, err := Inputs(context.Background(), all[:2], noConnection(t)); err == nil {
		t.Error("a source that was not packed came from nowhere")
	}
}
