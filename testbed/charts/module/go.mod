// The modules whose folders hold the published charts. KubeFlex's is not in the checksum database: its sums are those of
// KubeStellar's own go.sum.
module charts

go 1.26

require (
	github.com/kubestellar/kubeflex v0.9.3
	github.com/kubestellar/kubestellar v0.30.0
)
