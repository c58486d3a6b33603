package compare

import "namibuild/builder/plan"

// Cause is a known reason for two builds of one plan to differ.
type Cause struct {
	Name string `json:"name"`
	// Why is how it gets into a package, Pin what keeps it out.
	Why string `json:"why"`
	Pin string `json:"pin"`
	// Facts are what pins it by the names that plan.Differences gives them.
	Facts []string `json:"-"`
}

// pin is the fact of a plan that a pin is on, or off.
func pin(name string) string { return plan.PinFact + name }

// The causes that builds of kernel packages are known to have.
var (
	clock = &Cause{"clock", "the time of the build",
		"clock (every program's time of day), rpm (BUILDTIME), kbuild (KBUILD_BUILD_TIMESTAMP)",
		[]string{pin(plan.PinClock), pin(plan.PinRPM), pin(plan.PinKbuild), "srpm.epoch", "SOURCE_DATE_EPOCH", "KBUILD_BUILD_TIMESTAMP"}}
	host = &Cause{"host", "the name of the host that built",
		"buildhost (the container's host name, rpm's _buildhost), kbuild (KBUILD_BUILD_HOST)",
		[]string{pin(plan.PinBuildHost), pin(plan.PinKbuild), "hostname", "_buildhost", "KBUILD_BUILD_HOST"}}
	user = &Cause{"user", "the user who built, or whom the files belonged to",
		"kbuild (KBUILD_BUILD_USER), the user in the container's /etc/passwd, %defattr in the spec",
		[]string{pin(plan.PinKbuild), "user", "userName", "KBUILD_BUILD_USER"}}
	counter = &Cause{"build-number", "the number that kbuild counts up with every build of a tree",
		"kbuild (KBUILD_BUILD_VERSION)", []string{pin(plan.PinKbuild), "KBUILD_BUILD_VERSION"}}
	mtimes = &Cause{"mtime", "when a file was written",
		"mtimes (of the buildroot), rpm (clamp_mtime_to_source_date_epoch)",
		[]string{pin(plan.PinMtimes), pin(plan.PinRPM), "srpm.epoch", "SOURCE_DATE_EPOCH"}}
	device = &Cause{"device", "the number of the file system's device, another in every container",
		"stat (what rpmbuild sees of the file system)", []string{pin(plan.PinStat)}}
	inode = &Cause{"inode", "the numbers that the file system gave the files",
		"stat (rpmbuild sees inodes from 1), order (in which it comes to the files)", []string{pin(plan.PinStat), pin(plan.PinOrder)}}
	dirSize = &Cause{"directory-size", "what size and link count a file system gives a directory",
		"stat (what rpmbuild sees of the file system)", []string{pin(plan.PinStat), "tmpfsBytes"}}
	gzipStamp = &Cause{"gzip", "gzip writes the time, or the name, of what it compresses",
		"gzip (GZIP=-n, or a gzip that always takes -n)", []string{pin(plan.PinGzip), "GZIP"}}
	moduleKey = &Cause{"module-key", "a key to sign the modules with that was made in the build",
		"module-key: persistent or recorded in the recipe", []string{"moduleKey.mode", "moduleKey.fingerprint", "moduleKey.signatures"}}
	buildPath = &Cause{"path", "the directory that the build ran in",
		"one topdir for every build", []string{"topdir"}}
	order = &Cause{"order", "the order in which a file system lists a directory, or in which jobs end",
		"order (directories are read sorted)", []string{pin(plan.PinOrder), "jobs"}}
	jobs = &Cause{"jobs", "how many jobs ran at once",
		"the plan's jobs (_smp_mflags, _smp_build_ncpus)", []string{"jobs", "_smp_mflags", "_smp_build_ncpus"}}
	toolchain = &Cause{"toolchain", "another compiler, rpm or compressor",
		"the builder image, by digest", []string{"image", "imageDigest"}}
	macros = &Cause{"macros", "macros of rpm that the host, the user or the recipe had set",
		"rpmbuild's arguments, and HOME", []string{"args", "HOME"}}
	buildStage = &Cause{"stage", "whether rpmbuild made the SRPM beside the packages (-ba)",
		"rpmbuild -bb alone", []string{"args"}}
	tempName = &Cause{"temporary-name", "the name of a temporary file, which is random",
		"none is known: strip what holds it", nil}
	buildID = &Cause{"build-id", "a hash over what was linked, debug information that was stripped later included",
		"one topdir and one builder image for every build", []string{"topdir", "imageDigest"}}
)
