package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
)

func TestExecutableDigest(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := executableDigest(), fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
