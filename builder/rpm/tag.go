package rpm

// Tag is the number of a value in a header. The signature header has numbers of its
// own, so the same number can have two meanings.
type Tag int32

// Tags of the main header (rpm's lib/rpmtag.h).
const (
	TagI18nTable         Tag = 100
	TagName              Tag = 1000
	TagVersion           Tag = 1001
	TagRelease           Tag = 1002
	TagEpoch             Tag = 1003
	TagSummary           Tag = 1004
	TagDescription       Tag = 1005
	TagBuildTime         Tag = 1006
	TagBuildHost         Tag = 1007
	TagSize              Tag = 1009
	TagVendor            Tag = 1011
	TagLicense           Tag = 1014
	TagPackager          Tag = 1015
	TagGroup             Tag = 1016
	TagSource            Tag = 1018
	TagPatch             Tag = 1019
	TagURL               Tag = 1020
	TagOS                Tag = 1021
	TagArch              Tag = 1022
	TagPostinstall       Tag = 1024
	TagOldFilenames      Tag = 1027
	TagFileSizes         Tag = 1028
	TagFileModes         Tag = 1030
	TagFileRdevs         Tag = 1033
	TagFileMtimes        Tag = 1034
	TagFileDigests       Tag = 1035
	TagFileLinktos       Tag = 1036
	TagFileFlags         Tag = 1037
	TagFileUsername      Tag = 1039
	TagFileGroupname     Tag = 1040
	TagSourceRPM         Tag = 1044
	TagFileVerifyFlags   Tag = 1045
	TagArchiveSize       Tag = 1046
	TagProvideName       Tag = 1047
	TagRequireFlags      Tag = 1048
	TagRequireName       Tag = 1049
	TagRequireVersion    Tag = 1050
	TagNoSource          Tag = 1051
	TagNoPatch           Tag = 1052
	TagConflictFlags     Tag = 1053
	TagConflictName      Tag = 1054
	TagConflictVersion   Tag = 1055
	TagRPMVersion        Tag = 1064
	TagChangelogTime     Tag = 1080
	TagChangelogName     Tag = 1081
	TagChangelogText     Tag = 1082
	TagBuildArchs        Tag = 1089
	TagObsoleteName      Tag = 1090
	TagCookie            Tag = 1094
	TagFileDevices       Tag = 1095
	TagFileInodes        Tag = 1096
	TagFileLangs         Tag = 1097
	TagSourcePackage     Tag = 1106
	TagProvideFlags      Tag = 1112
	TagProvideVersion    Tag = 1113
	TagObsoleteFlags     Tag = 1114
	TagObsoleteVersion   Tag = 1115
	TagDirIndexes        Tag = 1116
	TagBasenames         Tag = 1117
	TagDirnames          Tag = 1118
	TagOptFlags          Tag = 1122
	TagPayloadFormat     Tag = 1124
	TagPayloadCompressor Tag = 1125
	TagPayloadFlags      Tag = 1126
	TagPlatform          Tag = 1132
	TagFileColors        Tag = 1140
	TagFileClass         Tag = 1141
	TagClassDict         Tag = 1142
	TagSourcePkgID       Tag = 1146
	TagLongFileSizes     Tag = 5008
	TagLongSize          Tag = 5009
	TagFileDigestAlgo    Tag = 5011
	TagRecommendName     Tag = 5046
	TagRecommendVersion  Tag = 5047
	TagRecommendFlags    Tag = 5048
	TagSuggestName       Tag = 5049
	TagSuggestVersion    Tag = 5050
	TagSuggestFlags      Tag = 5051
	TagSupplementName    Tag = 5052
	TagSupplementVersion Tag = 5053
	TagSupplementFlags   Tag = 5054
	TagEnhanceName       Tag = 5055
	TagEnhanceVersion    Tag = 5056
	TagEnhanceFlags      Tag = 5057
	TagEncoding          Tag = 5062
	TagPayloadDigest     Tag = 5092
	TagPayloadDigestAlgo Tag = 5093
	TagPayloadDigestAlt  Tag = 5097
)

// Tags of the signature header (rpm's lib/rpmtag.h, HEADER_SIGBASE and RPMSIGTAG).
// The signatures DSA and RSA cover the header, PGP and GPG cover header and payload.
const (
	SigTagDSA             Tag = 267
	SigTagRSA             Tag = 268
	SigTagSHA1            Tag = 269
	SigTagLongSize        Tag = 270
	SigTagLongPayloadSize Tag = 271
	SigTagSHA256          Tag = 273
	SigTagFileSignatures  Tag = 274
	SigTagFileSigLength   Tag = 275
	SigTagVeritySigs      Tag = 276
	SigTagVerityAlgo      Tag = 277
	SigTagOpenPGP         Tag = 278
	SigTagReserved        Tag = 999
	SigTagSize            Tag = 1000
	SigTagPGP             Tag = 1002
	SigTagMD5             Tag = 1004
	SigTagGPG             Tag = 1005
	SigTagPayloadSize     Tag = 1007
	SigTagReservedSpace   Tag = 1008
)

// Regions are the tags of a header's first entry, which frames the header and tells
// which of the two it is.
const (
	RegionSignatures Tag = 62
	RegionImmutable  Tag = 63
	// regionImage is in the trailer of some old signature headers.
	regionImage Tag = 61
)

// Type is the layout of a tag's data.
type Type uint32

// Types of rpm's lib/rpmtag.h. Char, Int8 and Binary are bytes, numbers are
// big-endian and aligned to their size, texts end with a NUL.
const (
	TypeNull Type = iota
	TypeChar
	TypeInt8
	TypeInt16
	TypeInt32
	TypeInt64
	TypeString
	TypeBinary
	TypeStringArray
	TypeI18nString
)

// width returns the size and alignment of one element, or 0 for texts.
func (t Type) width() int {
	switch t {
	case TypeChar, TypeInt8, TypeBinary:
		return 1
	case TypeInt16:
		return 2
	case TypeInt32:
		return 4
	case TypeInt64:
		return 8
	}
	return 0
}
