package compare

import "namibuild/builder/plan"

// Cause is a known reason for two builds of one plan to differ.
type Cause struct {
	Name string `json:"name"`
	// Why says what differs, Pin what in this project prevents that.
	Why string `json:"why"`
	Pin string `json:"pin"`
	// Facts are the facts of a plan that prevent it, by the names that
	// plan.Differences gives them.
	Facts []string `json:"-"`
}

// pin returns the fact of a plan that says whether a pin is on.
func pin(name string) string { return plan.PinFact + name }

// The causes that builds of kernel packages are known to have.
var (
	clock = &Cause{"clock", "the time of the build",
		"clock (every program's time of day), rpm (BUILDTIME), kbuild (KBUILD_BUILD_TIMESTAMP)",
		[]string{pin(plan.PinClock), pin(plan.PinRPM), pin(plan.PinKbuild), "srpm.epoch", "SOURCE_DATE_EPOCH", "KBUILD_BUILD_TIMESTAMP"}}
	host = &Cause{"host", "the name of the build host",
		"buildhost (the container's host name, rpm's _buildhost), kbuild (KBUILD_BUILD_HOST)",
		[]string{pin(plan.PinBuildHost), pin(plan.PinKbuild), "hostname", "_buildhost", "KBUILD_BUILD_HOST"}}
	user = &Cause{"user", "the user who built, or who owned the files",
		"kbuild (KBUILD_BUILD_USER), the user in the container's /etc/passwd, %defattr in the spec",
		[]string{pin(plan.PinKbuild), "user", "userName", "KBUILD_BUILD_USER"}}
	counter = &Cause{"build-number", "the number that kbuild increments with every build of a tree",
		"kbuild (KBUILD_BUILD_VERSION)", []string{pin(plan.PinKbuild), "KBUILD_BUILD_VERSION"}}
	mtimes = &Cause{"mtime", "the time at which a file was written",
		"mtimes (of the buildroot), rpm (clamp_mtime_to_source_date_epoch)",
		[]string{pin(plan.PinMtimes), pin(plan.PinRPM), "srpm.epoch", "SOURCE_DATE_EPOCH"}}
	device = &Cause{"device", "the device number of the file system, which is different in every container",
		"stat (what rpmbuild sees of the file system)", []string{pin(plan.PinStat)}}
	inode = &Cause{"inode", "the inode numbers of the files",
		"stat (rpmbuild sees inodes counted from 1), order (in which rpmbuild reads the files)", []string{pin(plan.PinStat), pin(plan.PinOrder)}}
	dirSize = &Cause{"directory-size", "the size and link count that the file system gives a directory",
		"stat (what rpmbuild sees of the file system)", []string{pin(plan.PinStat), "tmpfsBytes"}}
	gzipStamp = &Cause{"gzip", "the time or the name of a file that gzip compressed",
		"gzip (GZIP=-n, or a gzip that always takes -n)", []string{pin(plan.PinGzip), "GZIP"}}
	moduleKey = &Cause{"module-key", "a key for signing modules that was made during the build",
		"module-key: persistent or recorded in the recipe", []string{"moduleKey.mode", "moduleKey.fingerprint", "moduleKey.signatures"}}
	buildPath = &Cause{"path", "the directory in which the build ran",
		"one topdir for every build", []string{"topdir"}}
	order = &Cause{"order", "the order in which the file system lists a directory, or in which jobs end",
		"order (directories are read sorted)", []string{pin(plan.PinOrder), "jobs"}}
	jobs = &Cause{"jobs", "the number of jobs that ran at once",
		"the plan's jobs (_smp_mflags, _smp_build_ncpus)", []string{"jobs", "_smp_mflags", "_smp_build_ncpus"}}
	toolchain = &Cause{"toolchain", "another compiler, rpm or compressor",
		"the builder image, by digest", []string{"image", "imageDigest"}}
	macros = &Cause{"macros", "rpm macros that the host, the user or the recipe set",
		"the arguments of rpmbuild, and HOME", []string{"args", "HOME"}}
	buildStage = &Cause{"stage", "whether rpmbuild made the SRPM too (-ba)",
		"rpmbuild -bb alone", []string{"args"}}
	tempName = &Cause{"temporary-name", "the random name of a temporary file",
		"none (strip the section that holds it)", nil}
	buildID = &Cause{"build-id", "a hash over all that was linked, including debug information that was stripped later",
		"one topdir and one builder image for every build", []string{"topdir", "imageDigest"}}
)
