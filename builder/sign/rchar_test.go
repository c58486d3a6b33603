package sign_test

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sign"
)

func rchar(t *testing.T) (n int64) {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscanf(string(data), "rchar: %d", &n)
	return n
}

func TestReadsX(t *testing.T) {
	key, _ := made()
	b := make([]byte, 20<<20)
	rand.Read(b)
	p := rpmtest.Package{Name: "big", Version: "1", Release: "1", Legacy: true, Files: []rpmtest.File{{Path: "/x", Content: string(b)}}}
	for _, o := range []sign.Options{{}, {PayloadDigests: true}} {
		s := set(t, p)
		before := rchar(t)
		out := signed(t, s, key, o)
		fmt.Printf("sign %+v: %.2f\n", o.PayloadDigests, float64(rchar(t)-before)/float64(out.RPMs[0].Size))
		f, _ := os.Open(filepath.Join(out.Dir, out.RPMs[0].File))
		before = rchar(t)
		i, err := rpm.Inspect(f, []pgp.Key{key.Key})
		fmt.Printf("inspect: %.2f %v %v %v\n", float64(rchar(t)-before)/float64(out.RPMs[0].Size), err, i.SignatureErr, i.Built.SHA256 == s.RPMs[0].SHA256)
	}
	_ = strings.ToUpper
}
