package plan

import (
	"strconv"
	"strings"
	"time"

	"namibuild/builder/recipe"
)

// environment returns the whole environment of a build.
func environment(k kind, key ModuleKey, in Input) []Var {
	env := []Var{
		{"PATH", in.path(k, key), "the image's own programs, after those that replace some of them; depmod is in /sbin"},
		{"HOME", topdir, "gpg and rpm write files there; no other folder can be written to"},
		{"TMPDIR", topdir + "/TMP", "the root file system is read-only"},
		{"LC_ALL", "C", "sorting and messages do not depend on a language"},
		{"TZ", "UTC", "dates do not depend on a time zone"},
	}
	if in.SRPM.File != "" {
		env = append(env, Var{"SOURCE_DATE_EPOCH", strconv.FormatInt(in.SRPM.Epoch, 10), "the clock of the build: the time at which the SRPM was built"})
	}
	if in.pinned(PinKbuild) {
		env = append(env, kbuild(in.SRPM)...)
	}
	if k.oldGzip && in.pinned(PinGzip) {
		env = append(env, Var{"GZIP", "-n", "gzip 1.3 writes the time into everything that it compresses"})
	}
	return append(env, preload(key, in)...)
}

// path returns PATH. It begins with the folders of programs that replace those of
// the image: a gzip that has -n, and a gpg and an openssl that have no key.
func (in Input) path(k kind, key ModuleKey) string {
	path := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if !k.oldGzip && in.pinned(PinGzip) {
		path = libexec + "/gzip:" + path
	}
	if key.Mode != Ephemeral {
		path = libexec + "/modkey:" + path
	}
	return path
}

// kbuild returns the variables from which the kernel's build takes the time, user
// and host that /proc/version shows.
func kbuild(srpm SRPM) []Var {
	env := []Var{
		{"KBUILD_BUILD_VERSION", "1", "the #1 of uname -v, which counts builds"},
		{"KBUILD_BUILD_USER", userName, "the user in /proc/version"},
		{"KBUILD_BUILD_HOST", hostname, "the host in /proc/version"},
	}
	if srpm.File != "" {
		env = append(env, Var{"KBUILD_BUILD_TIMESTAMP", date(srpm.Epoch), "the time in /proc/version: SOURCE_DATE_EPOCH, and not the real one"})
	}
	return env
}

// arguments returns those of rpmbuild: the recipe's switches, the plan's macros,
// and then the recipe's macros, because rpm takes the last definition.
func arguments(k kind, r recipe.Rpmbuild, in Input) []string {
	args := []string{"-bb"}
	if k.noclean {
		args = append(args, "--noclean")
	}
	for _, word := range r.With {
		args = append(args, "--with", word)
	}
	for _, word := range r.Without {
		args = append(args, "--without", word)
	}
	for _, d := range append(macros(k, in), r.Define...) {
		args = append(args, "--define", d.Name+" "+d.Value)
	}
	return args
}

// macros returns those that rpm would otherwise take from the host: the number of
// its processors, also where the container may use fewer, its name, and its clock.
func macros(k kind, in Input) []recipe.Define {
	n := strconv.Itoa(in.Jobs)
	all := []recipe.Define{{Name: "_smp_mflags", Value: "-j" + n}}
	if k.ownClock {
		all = append(all, recipe.Define{Name: "_smp_build_ncpus", Value: n})
	}
	if k.ownClock && in.pinned(PinBuildHost) {
		all = append(all, recipe.Define{Name: "_buildhost", Value: hostname})
	}
	if k.ownClock && in.pinned(PinRPM) {
		all = append(all,
			recipe.Define{Name: "use_source_date_epoch_as_buildtime", Value: "1"},
			recipe.Define{Name: "clamp_mtime_to_source_date_epoch", Value: "1"})
	}
	return append(all, mtimes(in)...)
}

// date returns a time as date(1) prints it with LC_ALL=C and TZ=UTC. The kernel's
// build uses this format where KBUILD_BUILD_TIMESTAMP is not set.
func date(epoch int64) string { return time.Unix(epoch, 0).UTC().Format(time.UnixDate) }

// CommandLine returns the command line of rpmbuild for a shell in the topdir, in
// lines of about 80 columns. The container's script adds the arguments that only
// say where the topdir is.
func (p Plan) CommandLine() string {
	const most = 80
	all, line := "", "rpmbuild"
	for i := 0; i < len(p.Args); i++ {
		option := quoted(p.Args[i])
		if strings.HasPrefix(option, "--") && i+1 < len(p.Args) { // an option stays with its value
			i++
			option += " " + quoted(p.Args[i])
		}
		if len(line)+len(option) > most {
			all, line = all+line+" \\\n", "     "
		}
		line += " " + option
	}
	return all + line + " SPECS/*.spec"
}

// quoted returns an argument as a word for a shell, in quotes where it needs them.
func quoted(arg string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=+,@", r)
	}
	if arg != "" && strings.TrimFunc(arg, plain) == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
