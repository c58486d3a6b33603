package builder

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"namibuild/builder/engine"
	"namibuild/builder/event"
	"namibuild/builder/fetch"
	"namibuild/builder/recipe"
)

// TestBuildOffline checks that an offline build takes the source from the store and the image
// from the engine, or says what is missing, and that the server gets no request.
func TestBuildOffline(t *testing.T) {
	o, f, _ := setup(t)
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.ServeFile(w, r, o.Recipe.Source.File)
	}))
	defer server.Close()
	online := o
	online.Recipe.Source = recipe.Source{URL: server.URL + "/k.src.rpm", SHA256: o.Recipe.Source.SHA256}
	offline := online
	offline.Offline = true
	_, err := Build(context.Background(), offline)
	if !errors.As(err, new(*fetch.OfflineError)) || hits > 0 {
		t.Errorf("no source: %v, %d requests", err, hits)
	}
	if _, err := Input(context.Background(), online.SourceOptions); err != nil {
		t.Fatal(err)
	}
	if _, err = Build(context.Background(), offline); !errors.As(err, new(*engine.NoImageError)) {
		t.Errorf("no image: %v", err)
	}
	if _, err := Image(context.Background(), online.SourceOptions); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(context.Background(), offline); err != nil || hits != 1 {
		t.Errorf("%v, %d requests", err, hits)
	}
	if left := f.Left(); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestMirror checks that a mirror replaces a server that fails, and that a warning says so.
func TestMirror(t *testing.T) {
	o, _, events := setup(t)
	data, err := os.ReadFile(o.Recipe.Source.File)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/gone") {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	defer server.Close()
	gone, mirror := server.URL+"/gone.src.rpm", server.URL+"/k.src.rpm"
	o.Recipe.Source = recipe.Source{URL: gone, Mirrors: []string{mirror}, SHA256: o.Recipe.Source.SHA256}
	if _, err := Input(context.Background(), o.SourceOptions); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(*events, event.Event{Kind: event.Warning, Step: event.Source, Text: gone + ": the server answers 404 Not Found; trying " + mirror}) {
		t.Errorf("got %v", *events)
	}
}
