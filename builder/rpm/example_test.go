package rpm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"

	"namibuild/builder/pgp"
	"namibuild/builder/rpm"
	"namibuild/builder/rpm/rpmtest"
)

// kernel is a package for the examples. Programs open a file instead.
func kernel() io.ReadSeeker {
	return bytes.NewReader(rpmtest.Build(rpmtest.Package{
		Name: "kernel", Version: "2.6.32", Release: "431.el6", Arch: "x86_64", BuildTime: 1385097600,
		Files: []rpmtest.File{{Path: "/boot/config", Content: "CONFIG_SMP=y\n"}, {Path: "/boot/vmlinuz", Content: "the kernel"}},
	}))
}

// Everything but the payload of a package is in its headers.
func ExampleReadPackage() {
	p, err := rpm.ReadPackage(kernel())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.NEVRA(), "is made from", p.SourceRPM())
	files, err := p.Files()
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(f.Path, f.Size, f.DigestAlgo)
	}
	// Output:
	// kernel-2.6.32-431.el6.x86_64 is made from kernel-2.6.32-431.el6.src.rpm
	// /boot/config 13 sha256
	// /boot/vmlinuz 10 sha256
}

// The files of the payload follow the headers in the same stream.
func ExamplePackage_Payload() {
	r := kernel()
	p, err := rpm.ReadPackage(r)
	if err != nil {
		log.Fatal(err)
	}
	payload, err := p.Payload(r)
	if err != nil {
		log.Fatal(err)
	}
	defer payload.Close()
	for {
		e, err := payload.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		content, err := io.ReadAll(payload)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %q\n", e.Name, content)
	}
	// Output:
	// ./boot/config: "CONFIG_SMP=y\n"
	// ./boot/vmlinuz: "the kernel"
}

// One read tells whether a package is damaged, who signed it, and which file it is.
func ExampleInspect() {
	var trusted []pgp.Key // pgp.ParseKeys reads them
	i, err := rpm.Inspect(kernel(), trusted)
	if err != nil {
		log.Fatal("damaged: ", err)
	}
	fmt.Println(i.Package.NEVRA(), "is not damaged")
	if errors.Is(i.SignatureErr, rpm.ErrNotSigned) {
		fmt.Println("nobody signed it, so the file is as it was built:", i.File == i.Built)
	}
	// Output:
	// kernel-2.6.32-431.el6.x86_64 is not damaged
	// nobody signed it, so the file is as it was built: true
}

// rpm does not compare versions as text.
func ExampleCompareVersions() {
	versions := []string{"3.10", "3.9", "3.10~rc1", "3.9a"}
	slices.SortFunc(versions, rpm.CompareVersions)
	fmt.Println(versions)
	// Output: [3.9 3.9a 3.10~rc1 3.10]
}
