package rpmtest

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"

	"namibuild/builder/rpm"
)

// values returns the values of the header.
func (p Package) values(archive, payload []byte) []rpm.Value {
	var size int
	for _, f := range p.Files {
		size += len(f.Content)
	}
	list := []rpm.Value{
		rpm.StringsValue(rpm.TagI18nTable, "C"),
		rpm.StringValue(rpm.TagName, p.Name),
		rpm.StringValue(rpm.TagVersion, p.Version),
		rpm.StringValue(rpm.TagRelease, p.Release),
		rpm.I18nValue(rpm.TagSummary, "a package for tests"),
		rpm.I18nValue(rpm.TagDescription, "A package for tests."),
		rpm.Int32Value(rpm.TagBuildTime, uint32(p.BuildTime)),
		rpm.StringValue(rpm.TagBuildHost, "localhost"),
		rpm.Int32Value(rpm.TagSize, uint32(size)),
		rpm.StringValue(rpm.TagLicense, "none"),
		rpm.I18nValue(rpm.TagGroup, "Unspecified"),
		rpm.StringValue(rpm.TagOS, "linux"),
		rpm.StringValue(rpm.TagArch, p.Arch),
		rpm.StringValue(rpm.TagRPMVersion, p.rpmVersion()),
		rpm.StringValue(rpm.TagPayloadFormat, "cpio"),
	}
	if p.Epoch != 0 {
		list = append(list, rpm.Int32Value(rpm.TagEpoch, p.Epoch))
	}
	if p.Payload != "none" { // rpm does not name a compressor then either
		list = append(list, rpm.StringValue(rpm.TagPayloadCompressor, p.Payload), rpm.StringValue(rpm.TagPayloadFlags, "9"))
	}
	if p.Source {
		list = append(list, rpm.Int32Value(rpm.TagSourcePackage, 1))
	} else {
		list = append(list, rpm.StringValue(rpm.TagSourceRPM, p.SourceRPM))
	}
	if !p.Legacy {
		compressed, plain := sha256.Sum256(payload), sha256.Sum256(archive)
		list = append(list, rpm.StringsValue(rpm.TagPayloadDigest, hex.EncodeToString(compressed[:])),
			rpm.Int32Value(rpm.TagPayloadDigestAlgo, uint32(rpm.DigestSHA256)),
			rpm.StringsValue(rpm.TagPayloadDigestAlt, hex.EncodeToString(plain[:])))
	}
	return slices.Concat(list, p.dependencies(), p.fileValues())
}

// rpmVersion returns the version of an rpm that makes such packages.
func (p Package) rpmVersion() string {
	if p.Legacy {
		return "4.8.0"
	}
	return "4.18.0"
}

func (p Package) dependencies() []rpm.Value {
	requires := slices.Concat(p.Requires, []Require{
		{"rpmlib(CompressedFileNames)", rpmlib | Less | Equal, "3.0.4-1"},
		{"rpmlib(PayloadFilesHavePrefix)", rpmlib | Less | Equal, "4.0-1"},
	})
	if p.Long {
		requires = append(requires, Require{"rpmlib(LargeFiles)", rpmlib | Less | Equal, "4.12.0-1"})
	}
	if p.Payload == "xz" || p.Payload == "lzma" || p.Payload == "zstd" {
		names := map[string][2]string{"xz": {"Xz", "5.2-1"}, "lzma": {"Lzma", "4.4.2-1"}, "zstd": {"Zstd", "5.4.18-1"}}
		r := names[p.Payload]
		requires = append(requires, Require{"rpmlib(PayloadIs" + r[0] + ")", rpmlib | Less | Equal, r[1]})
	}
	slices.SortFunc(requires, func(a, b Require) int { return cmp.Compare(a.Name, b.Name) })
	evr := p.Version + "-" + p.Release
	if p.Epoch != 0 {
		evr = fmt.Sprintf("%d:%s", p.Epoch, evr)
	}
	return []rpm.Value{
		texts(rpm.TagRequireName, requires, func(r Require) string { return r.Name }),
		texts(rpm.TagRequireVersion, requires, func(r Require) string { return r.Version }),
		numbers(rpm.TagRequireFlags, requires, func(r Require) uint32 { return r.Flags }),
		rpm.StringsValue(rpm.TagProvideName, p.Name),
		rpm.StringsValue(rpm.TagProvideVersion, evr),
		rpm.Int32Value(rpm.TagProvideFlags, Equal),
	}
}

// fileValues returns the parallel lists of the files.
func (p Package) fileValues() []rpm.Value {
	if len(p.Files) == 0 {
		return nil
	}
	var dirs []string
	var indexes, devices, inodes, verify []uint32
	var modes, rdevs []uint16
	for i, f := range p.Files {
		dir, _ := path.Split(f.Path)
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		indexes = append(indexes, uint32(slices.Index(dirs, dir)))
		modes, rdevs = append(modes, uint16(f.Mode)), append(rdevs, 0)
		devices, inodes, verify = append(devices, 1), append(inodes, uint32(i+1)), append(verify, 1<<32-1)
	}
	list := []rpm.Value{
		texts(rpm.TagBasenames, p.Files, func(f File) string { return path.Base(f.Path) }),
		rpm.StringsValue(rpm.TagDirnames, dirs...),
		rpm.Int32Value(rpm.TagDirIndexes, indexes...),
		rpm.Int16Value(rpm.TagFileModes, modes...),
		rpm.Int16Value(rpm.TagFileRdevs, rdevs...),
		numbers(rpm.TagFileMtimes, p.Files, func(f File) uint32 { return uint32(f.Mtime) }),
		texts(rpm.TagFileDigests, p.Files, p.digest),
		texts(rpm.TagFileLinktos, p.Files, func(f File) string { return f.Linkname }),
		numbers(rpm.TagFileFlags, p.Files, func(f File) uint32 { return uint32(f.Flags) }),
		texts(rpm.TagFileUsername, p.Files, func(File) string { return "root" }),
		texts(rpm.TagFileGroupname, p.Files, func(File) string { return "root" }),
		rpm.Int32Value(rpm.TagFileVerifyFlags, verify...),
		rpm.Int32Value(rpm.TagFileDevices, devices...),
		rpm.Int32Value(rpm.TagFileInodes, inodes...),
		texts(rpm.TagFileLangs, p.Files, func(File) string { return "" }),
	}
	if !p.Legacy {
		list = append(list, rpm.Int32Value(rpm.TagFileDigestAlgo, uint32(rpm.DigestSHA256)))
	}
	return append(list, p.fileSizes())
}

func (p Package) fileSizes() rpm.Value {
	if !p.Long {
		return numbers(rpm.TagFileSizes, p.Files, func(f File) uint32 { return uint32(len(f.Content)) })
	}
	var sizes []uint64
	for _, f := range p.Files {
		sizes = append(sizes, uint64(len(f.Content)))
	}
	return rpm.Int64Value(rpm.TagLongFileSizes, sizes...)
}

func (p Package) digest(f File) string {
	if f.Mode&modeType != modeRegular {
		return ""
	}
	if p.Legacy {
		sum := md5.Sum([]byte(f.Content))
		return hex.EncodeToString(sum[:])
	}
	sum := sha256.Sum256([]byte(f.Content))
	return hex.EncodeToString(sum[:])
}

func texts[T any](tag rpm.Tag, list []T, text func(T) string) rpm.Value {
	var all []string
	for _, v := range list {
		all = append(all, text(v))
	}
	return rpm.StringsValue(tag, all...)
}

func numbers[T any](tag rpm.Tag, list []T, number func(T) uint32) rpm.Value {
	var all []uint32
	for _, v := range list {
		all = append(all, number(v))
	}
	return rpm.Int32Value(tag, all...)
}
