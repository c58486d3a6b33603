package compare

import "namibuild/builder/plan"

// Cause is a known reason for two builds of one plan to differ.
type Cause struct {
	Name string `json:"name"`
	// Why says why the builds differ, Pin what in this project prevents it.
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
	clock = &Cause{"clock", "the builds ran at different times",
		"clock (every program's time of day), rpm (BUILDTIME), kbuild (KBUILD_BUILD_TIMESTAMP)",
		[]string{pin(plan.PinClock), pin(plan.PinRPM), pin(plan.PinKbuild), "srpm.epoch", "SOURCE_DATE_EPOCH", "KBUILD_BUILD_TIMESTAMP"}}
	host = &Cause{"host", "the builds ran on hosts with different names",
		"buildhost (the container's host name, rpm's _buildhost), kbuild (KBUILD_BUILD_HOST)",
		[]string{pin(plan.PinBuildHost), pin(plan.PinKbuild), "hostname", "_buildhost", "KBUILD_BUILD_HOST"}}
	user = &Cause{"user", "different users ran the builds, or owned the files",
		"kbuild (KBUILD_BUILD_USER), the user in the container's /etc/passwd, %defattr in the spec",
		[]string{pin(plan.PinKbuild), "user", "userName", "KBUILD_BUILD_USER"}}
	counter = &Cause{"build-number", "kbuild counts the builds of a tree",
		"kbuild (KBUILD_BUILD_VERSION)", []string{pin(plan.PinKbuild), "KBUILD_BUILD_VERSION"}}
	mtimes = &Cause{"mtime", "the builds wrote a file at different times",
		"mtimes (of the buildroot), rpm (clamp_mtime_to_source_date_epoch)",
		[]string{pin(plan.PinMtimes), pin(plan.PinRPM), "srpm.epoch", "SOURCE_DATE_EPOCH"}}
	device = &Cause{"device", "the file system has a different device number in every container",
		"stat (what rpmbuild sees of the file system)", []string{pin(plan.PinStat)}}
	inode = &Cause{"inode", "the file system gave the files different inode numbers",
		"stat (rpmbuild sees inodes counted from 1), order (in which rpmbuild reads the files)", []string{pin(plan.PinStat), pin(plan.PinOrder)}}
	dirSize = &Cause{"directory-size", "the file systems give a directory different sizes and link counts",
		"stat (what rpmbuild sees of the file system)", []string{pin(plan.PinStat), "tmpfsBytes"}}
	gzipStamp = &Cause{"gzip", "gzip wrote the time or the name of the file that it compressed",
		"gzip (GZIP=-n, or a gzip that always takes -n)", []string{pin(plan.PinGzip), "GZIP"}}
	moduleKey = &Cause{"module-key", "each build made its own key for signing modules",
		"module-key: persistent or recorded in the recipe", []string{"moduleKey.mode", "moduleKey.fingerprint", "moduleKey.signatures"}}
	buildPath = &Cause{"path", "the builds ran in different directories",
		"the same topdir for every build", []string{"topdir"}}
	order = &Cause{"order", "the file system listed a directory, or the jobs ended, in a different order",
		"order (directories are read sorted)", []string{pin(plan.PinOrder), "jobs"}}
	jobs = &Cause{"jobs", "different numbers of jobs ran at once",
		"the plan's jobs (_smp_mflags, _smp_build_ncpus)", []string{"jobs", "_smp_mflags", "_smp_build_ncpus"}}
	toolchain = &Cause{"toolchain", "the builds used different compilers, rpms or compressors",
		"the builder image, by digest", []string{"image", "imageDigest"}}
	macros = &Cause{"macros", "the host, the user or the recipe set different rpm macros",
		"the arguments of rpmbuild, and HOME", []string{"args", "HOME"}}
	buildStage = &Cause{"stage", "only one of the builds made the SRPM too (rpmbuild -ba)",
		"rpmbuild -bb", []string{"args"}}
	tempName = &Cause{"temporary-name", "temporary files have random names",
		"none (strip the section that holds it)", nil}
	buildID = &Cause{"build-id", "the build-id is a hash over all that was linked, including debug information that was stripped later",
		"the same topdir and builder image for every build", []string{"topdir", "imageDigest"}}
)
