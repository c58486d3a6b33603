package release

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/event"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sign"
)

// TestSignLeavesNothing checks that nothing is left when a signature cannot be made, and
// that an existing folder is not replaced.
func TestSignLeavesNothing(t *testing.T) {
	top := t.TempDir()
	set := filepath.Join(top, "set")
	if err := os.Mkdir(set, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		data := rpmtest.Build(rpmtest.Package{Name: name, Version: "1", Release: "1"})
		if err := os.WriteFile(filepath.Join(set, name+"-1-1.noarch.rpm"), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// the key signs its own name and one of the two packages
	key := &private{sure(rsa.GenerateKey(rand.Reader, 2048)), 3}
	o := SignOptions{Set: set, Output: filepath.Join(top, "signed"), Tell: func(event.Event) {},
		Key: sure(sign.Certify(context.Background(), &key.key.PublicKey, key, pgp.NewKeyOptions{Name: "Token", Created: time.Unix(1600000000, 0)}))}
	files := func() map[string]string {
		all := tree(t, top)
		delete(all, ".") // its time changes
		return all
	}
	before := files()
	var about *pgp.KeyError
	if _, err := Sign(context.Background(), o); !errors.As(err, &about) {
		t.Errorf("got %v, want the key's error", err)
	}
	if diff := cmp.Diff(before, files()); diff != "" {
		t.Error("left: ", diff)
	}
	o.Output = set
	if _, err := Sign(context.Background(), o); err == nil {
		t.Error("a folder that exists was replaced")
	}
	if diff := cmp.Diff(before, files()); diff != "" {
		t.Error("left: ", diff)
	}
}
