package compare

// Cause is a known reason for two builds of one plan to differ.
type Cause struct {
	Name string `json:"name"`
	// Why is how it gets into a package, Pin what keeps it out.
	Why string `json:"why"`
	Pin string `json:"pin"`
	// Facts are the facts of a plan that pin it: its fields, variables of its
	// environment, macros of its rpmbuild.
	Facts []string `json:"-"`
}

// The causes that builds of kernel packages are known to have.
var (
	clock = &Cause{"clock", "the time of the build",
		"the clock of every process (shim, or SOURCE_DATE_EPOCH with use_source_date_epoch_as_buildtime) and KBUILD_BUILD_TIMESTAMP",
		[]string{"srpm.epoch", "SOURCE_DATE_EPOCH", "KBUILD_BUILD_TIMESTAMP", "use_source_date_epoch_as_buildtime"}}
	host = &Cause{"host", "the name of the host that built",
		"the container's hostname and /etc/hosts, _buildhost, KBUILD_BUILD_HOST",
		[]string{"hostname", "_buildhost", "KBUILD_BUILD_HOST"}}
	user = &Cause{"user", "the user who built, or whom the files belonged to",
		"the user in the container's /etc/passwd, KBUILD_BUILD_USER, %defattr",
		[]string{"user", "userName", "KBUILD_BUILD_USER"}}
	counter = &Cause{"build-number", "the number that kbuild counts up with every build of a tree",
		"KBUILD_BUILD_VERSION", []string{"KBUILD_BUILD_VERSION"}}
	mtimes = &Cause{"mtime", "when a file was written",
		"the mtimes of the buildroot (touch at the end of __spec_install_post, or clamp_mtime_to_source_date_epoch)",
		[]string{"srpm.epoch", "SOURCE_DATE_EPOCH", "clamp_mtime_to_source_date_epoch", "__spec_install_post"}}
	device = &Cause{"device", "the number of the file system's device, another in every container",
		"what rpmbuild sees of the file system (stat shim)", nil}
	inode = &Cause{"inode", "the numbers that the file system gave the files",
		"what rpmbuild sees of the file system (stat shim)", nil}
	dirSize = &Cause{"directory-size", "what size and link count a file system gives a directory",
		"what rpmbuild sees of the file system (stat shim)", nil}
	gzipStamp = &Cause{"gzip", "gzip writes the time, or the name, of what it compresses",
		"GZIP=-n (gzip before 1.10 stamps pipes too), gzip -n", []string{"GZIP"}}
	moduleKey = &Cause{"module-key", "a key to sign the modules with that was made in the build",
		"the module key as an input, with deterministic or recorded signatures", []string{"moduleKey"}}
	buildPath = &Cause{"path", "the folder that the build ran in",
		"one topdir for every build", []string{"topdir"}}
	order = &Cause{"order", "the order in which a file system lists a folder, or in which jobs end",
		"sorted lists (find | sort, also in find-debuginfo.sh)", []string{"jobs"}}
	jobs = &Cause{"jobs", "how many jobs ran at once",
		"the jobs of the plan (_smp_mflags, _smp_build_ncpus)", []string{"jobs", "_smp_mflags", "_smp_build_ncpus"}}
	toolchain = &Cause{"toolchain", "another compiler, rpm or compressor",
		"the builder image, by digest", []string{"image", "imageDigest"}}
	macros = &Cause{"macros", "macros of rpm that the host or the user had set",
		"rpmbuild's arguments and HOME", []string{"args", "HOME"}}
	buildStage = &Cause{"stage", "whether rpmbuild made the SRPM beside the packages (-ba)",
		"rpmbuild -bb alone", []string{"args"}}
	tempName = &Cause{"temporary-name", "the name of a temporary file, which is random",
		"no pin is known: strip what holds it", nil}
	buildID = &Cause{"build-id", "a hash over what was linked, debug information that was stripped later included",
		"one topdir and one builder image for every build", []string{"topdir", "imageDigest"}}
)
