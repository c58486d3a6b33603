package repodata_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"namibuild/builder/repodata"
	"namibuild/builder/rpm/rpmtest"
)

// packages makes a folder of two packages.
func packages() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "repository")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"kernel", "kernel-devel"} {
		data := rpmtest.Build(rpmtest.Package{Name: name, Version: "2.6.32", Release: "431.el6", Arch: "x86_64", BuildTime: 1389830400})
		if err := os.WriteFile(filepath.Join(dir, name+"-2.6.32-431.el6.x86_64.rpm"), data, 0o666); err != nil {
			log.Fatal(err)
		}
	}
	return dir, func() { os.RemoveAll(dir) }
}

// A folder of packages becomes a repository, without a signature. The .repo file lies
// beside repodata/, for hosts that fetch it from there.
func ExampleWrite() {
	dir, remove := packages()
	defer remove()
	source := repodata.Source{ID: "kernels", Name: "Our kernels", BaseURL: "https://example.org/kernels"}
	page, err := source.File()
	if err != nil {
		log.Fatal(err)
	}
	repo, err := repodata.Write(dir, repodata.Options{}, repodata.File{Path: "kernels.repo", Data: []byte(page)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("revision", repo.Revision)
	for _, p := range repo.Packages {
		fmt.Println(p.Path)
	}
	// Output:
	// revision 1389830400
	// kernel-2.6.32-431.el6.x86_64.rpm
	// kernel-devel-2.6.32-431.el6.x86_64.rpm
}

// Verify finds a package that is not in the lists.
func ExampleVerify() {
	dir, remove := packages()
	defer remove()
	if _, err := repodata.Write(dir, repodata.Options{}); err != nil {
		log.Fatal(err)
	}
	repo, err := repodata.Verify(dir, nil, nil)
	fmt.Println(len(repo.Packages), "packages,", err)

	added := rpmtest.Build(rpmtest.Package{Name: "perf", Version: "1", Release: "1"})
	if err := os.WriteFile(filepath.Join(dir, "perf-1-1.noarch.rpm"), added, 0o666); err != nil {
		log.Fatal(err)
	}
	_, err = repodata.Verify(dir, nil, nil)
	fmt.Println(err)
	// Output:
	// 2 packages, <nil>
	// verifying the repository: perf-1-1.noarch.rpm is not in the list
}

// The .repo file of a signed repository names the public key beside repodata/.
func ExampleSource_File() {
	page, err := repodata.Source{ID: "kernels", Name: "Our kernels", BaseURL: "https://example.org/kernels", Key: "RPM-GPG-KEY-kernels"}.File()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(page)
	// Output:
	// [kernels]
	// name=Our kernels
	// baseurl=https://example.org/kernels/
	// enabled=1
	// gpgcheck=1
	// repo_gpgcheck=1
	// gpgkey=https://example.org/kernels/RPM-GPG-KEY-kernels
}
