package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"namibuild/builder/recipe"
)

// Pin is a measure that makes builds equal: it fixes something which would otherwise
// show the time or the host of a build in its packages.
type Pin struct {
	// Name is what the pin fixes.
	Name string `json:"name"`
	// Holds describes to a person what is true with the pin.
	Holds string `json:"holds"`
	// Off tells that this build leaves the pin out, to show what it is for.
	Off bool `json:"off,omitempty"`
	// Files are the files of the image's definition that the pin is made of.
	Files []PinFile `json:"files,omitempty"`
}

// PinFile is a file that a pin is made of, with its digest.
type PinFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// The names of the pins. What the container, or a variable of its environment, fixes
// by itself (language, time zone, user, paths) cannot be left out, and is not a
// pin; Plan.Env has the reasons.
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

// definedPin is a pin that a plan may have. on tells whether the builds in a kind of
// image have it.
type definedPin struct {
	name, holds string
	files       []string
	on          func(kind) bool
}

func every(kind) bool { return true }

var definedPins = []definedPin{
	{PinClock, "the time of day is SOURCE_DATE_EPOCH in every program but make", []string{"pins/clock.c"}, every},
	{PinStat, "rpmbuild sees device 0:1, inodes from 1, and 4096 bytes and one link of every directory", []string{"pins/stat.c"}, every},
	{PinOrder, "the entries of a directory are read in the order of their names", []string{"pins/order.c"}, every},
	{PinMtimes, "all files in the buildroot have the time SOURCE_DATE_EPOCH", []string{"step.sh", "mtimes.sh"}, every},
	{PinGzip, "gzip writes neither time nor name", nil, every},
	{PinKbuild, "uname -v and /proc/version have a fixed count, time, user and host", nil, every},
	{PinBuildHost, "the host name is " + hostname + ", and /etc/hosts has it", nil, every},
	{PinRPM, "rpm's BUILDTIME is SOURCE_DATE_EPOCH, and no file is newer", nil, func(k kind) bool { return k.ownClock }},
}

// Pins returns the names of all pins, for Input.Unpinned.
func Pins() []string {
	var all []string
	for _, p := range definedPins {
		all = append(all, p.name)
	}
	return all
}

// pins returns those of a build, with the digests of their files.
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

// checkPins checks that what is left out are pins, and that the image has the files
// of all pins.
func (in Input) checkPins() error {
	var wrong []error
	for _, name := range in.Unpinned {
		if !slices.Contains(Pins(), name) {
			wrong = append(wrong, fmt.Errorf("no such pin: %q, must be one of %s", name, strings.Join(Pins(), ", ")))
		}
	}
	for _, d := range definedPins {
		for _, file := range d.files {
			if path := common + "/" + file; in.Files[path] == "" {
				wrong = append(wrong, fmt.Errorf("digest of %s is missing, which the pin %s is made of", path, d.name))
			}
		}
	}
	return errors.Join(wrong...)
}

// libexec is the folder of namibuild's own programs and libraries in the images.
const libexec = "/usr/lib/namibuild"

// preload returns the variable with the libraries that every program loads.
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
	if key.isX509() {
		list, reasons = append(list, libexec+"/signfile.so"), append(reasons, "sign-file runs without a key")
	}
	if list == nil {
		return nil
	}
	return []Var{{"LD_PRELOAD", strings.Join(list, ":"), strings.Join(reasons, "; ")}}
}

// mtimes returns the macros with which rpm runs every script of a spec, and the end
// of %install before __os_install_post. rpm 4.8 and 4.18 have both, and no kernel
// spec redefines them.
func mtimes(in Input) []recipe.Define {
	if !in.pinned(PinMtimes) {
		return nil
	}
	return []recipe.Define{
		{Name: "___build_cmd", Value: libexec + "/step.sh %{buildroot} %{___build_shell} %{___build_args}"},
		{Name: "__arch_install_post", Value: libexec + "/mtimes.sh %{buildroot}"},
	}
}
