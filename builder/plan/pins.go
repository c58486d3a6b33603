package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// Pin is something that holds a build still where its moment or its host would
// else be seen in the packages.
type Pin struct {
	// Name is what it holds.
	Name string `json:"name"`
	// Holds says it to a person.
	Holds string `json:"holds"`
	// Off: this build goes without it, on purpose, to show what it is for.
	Off bool `json:"off,omitempty"`
	// Files are what does it, of the image's definition, with their digests.
	Files []PinFile `json:"files,omitempty"`
}

// PinFile is a file that a pin is made of.
type PinFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// The pins by name. What holds by being a variable of the environment or by the
// container alone (language, time zone, user, paths) cannot be left out and has
// its reason beside it in Plan.Env.
const (
	PinClock     = "clock"
	PinStat      = "stat"
	PinOrder     = "order"
	PinMtimes    = "mtimes"
	PinGzip      = "gzip"
	PinKbuild    = "kbuild"
	PinBuildHost = "buildhost"
	PinRPM       = "rpm"
)

// definedPin is a pin before a plan has it; on: what the images have it that do
// not all.
type definedPin struct {
	name, holds string
	files       []string
	on          func(kind) bool
}

func every(kind) bool { return true }

var definedPins = []definedPin{
	{PinClock, "the time of day is SOURCE_DATE_EPOCH in every program but make", []string{"pins/clock.c"}, every},
	{PinStat, "rpmbuild sees device 0:1, inodes from 1, and 4096 bytes and one link of every directory", []string{"pins/stat.c"}, every},
	{PinOrder, "directories are read in the order of their names", []string{"pins/order.c"}, every},
	{PinMtimes, "everything in the buildroot has the time SOURCE_DATE_EPOCH", []string{"step.sh", "mtimes.sh"}, every},
	{PinGzip, "gzip stamps neither time nor name", nil, every},
	{PinKbuild, "uname -v and /proc/version: count, moment, user and host of the build", nil, every},
	{PinBuildHost, "the host name is " + hostname + ", and /etc/hosts knows it", nil, every},
	{PinRPM, "rpm's BUILDTIME is SOURCE_DATE_EPOCH, and no file is newer", nil, func(k kind) bool { return k.ownClock }},
}

// Pins are the names that Input.Unpinned takes.
func Pins() []string {
	var all []string
	for _, p := range definedPins {
		all = append(all, p.name)
	}
	return all
}

// pins are those of a build, with the digests of their files.
func pins(k kind, in Input) []Pin {
	var all []Pin
	for _, d := range definedPins {
		if !d.on(k) {
			continue
		}
		p := Pin{Name: d.name, Holds: d.holds, Off: !in.pinned(d.name)}
		for _, file := range d.files {
			path := common + "/" + file
			p.Files = append(p.Files, PinFile{path, in.Files[path]})
		}
		all = append(all, p)
	}
	return all
}

func (in Input) pinned(name string) bool { return !slices.Contains(in.Unpinned, name) }

// checkPins holds that what is left out is a pin and that the image has the others.
func (in Input) checkPins() error {
	var wrong []error
	for _, name := range in.Unpinned {
		if !slices.Contains(Pins(), name) {
			wrong = append(wrong, fmt.Errorf("no pin is called %q, want one of %s", name, strings.Join(Pins(), ", ")))
		}
	}
	for _, d := range definedPins {
		for _, file := range d.files {
			if path := common + "/" + file; in.Files[path] == "" {
				wrong = append(wrong, fmt.Errorf("no digest of %s, which the pin %s is made of", path, d.name))
			}
		}
	}
	return errors.Join(wrong...)
}

// libexec is where the images have what namibuild brings along.
const libexec = "/usr/lib/namibuild"

// preload is the environment's list of libraries for every program.
func preload(key ModuleKey, in Input) []Var {
	var list, names, reasons []string
	for _, name := range []string{PinClock, PinStat, PinOrder} {
		if in.pinned(name) {
			list, names = append(list, libexec+"/"+name+".so"), append(names, name)
		}
	}
	if names != nil {
		reasons = []string{"the pins " + strings.Join(names, ", ")}
	}
	if key.certified() {
		list, reasons = append(list, libexec+"/signfile.so"), append(reasons, "sign-file gets no key")
	}
	if list == nil {
		return nil
	}
	return []Var{{"LD_PRELOAD", strings.Join(list, ":"), strings.Join(reasons, "; ")}}
}

// mtimes are the macros behind which rpm runs every script of a spec, and the
// end of %install before __os_install_post. rpm 4.8 and 4.18 have both, and no
// kernel's spec writes them anew.
func mtimes(in Input) []recipe.Define {
	if !in.pinned(PinMtimes) {
		return nil
	}
	return []recipe.Define{
		{Name: "___build_cmd", Value: libexec + "/step.sh %{buildroot} %{___build_shell} %{___build_args}"},
		{Name: "__arch_install_post", Value: libexec + "/mtimes.sh %{buildroot}"},
	}
}
