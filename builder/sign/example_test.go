package sign_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"namibuild/builder/artifact"
	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
	"namibuild/builder/sign"
)

// A new key signs a package, and everybody who has its public half can check that.
func ExamplePackages() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const file = "kernel-1-1.x86_64.rpm"
	data := rpmtest.Build(rpmtest.Package{Name: "kernel", Version: "1", Release: "1", Arch: "x86_64"})
	if err := os.WriteFile(filepath.Join(dir, file), data, 0o666); err != nil {
		log.Fatal(err)
	}
	signedDir := filepath.Join(dir, "signed")
	if err := os.Mkdir(signedDir, 0o777); err != nil {
		log.Fatal(err)
	}

	key, _, err := sign.Generate(pgp.NewKeyOptions{Name: "Kernels <kernels@example.org>", Created: time.Unix(1e9, 0)}, []byte("passphrase"))
	if err != nil {
		log.Fatal(err)
	}
	set := artifact.Set{Dir: dir, RPMs: []artifact.RPM{{File: file, Size: int64(len(data))}}}
	signed, err := sign.Packages(context.Background(), set, key, signedDir, sign.Options{Epoch: 1.3e9})
	if err != nil {
		log.Fatal(err)
	}

	f, err := os.Open(filepath.Join(signed.Dir, signed.RPMs[0].File))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	p, by, err := rpm.VerifySigned(f, []pgp.Key{key.Key})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s is signed at %s over %s\n", p.NEVRA(), by.Created.Format(time.DateTime), by.Covers)
	// Output: kernel-1-1.x86_64 is signed at 2011-03-13 07:06:40 over header and payload
}

// A detached signature is an armored file beside another one.
func ExampleKey_Detached() {
	key, _, err := sign.Generate(pgp.NewKeyOptions{Name: "Kernels", Created: time.Unix(1e9, 0)}, nil)
	if err != nil {
		log.Fatal(err)
	}
	const index = "<repomd/>\n"
	signature, err := key.Detached(context.Background(), strings.NewReader(index), time.Unix(1.3e9, 0))
	if err != nil {
		log.Fatal(err)
	}
	// Others have only the public key.
	file, err := key.Public()
	if err != nil {
		log.Fatal(err)
	}
	public, err := pgp.ParseKeys(bytes.NewReader(file))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(public[0].Name, public[0].VerifyDetached(strings.NewReader(index), signature))
	fmt.Println(public[0].VerifyDetached(strings.NewReader("another index"), signature) != nil)
	// Output:
	// Kernels <nil>
	// true
}
