#!/usr/bin/env bash
# Prints the krew manifest of `kubectl stellar` for a tag, by SHA256SUMS in the current folder.
set -euo pipefail
tag=$1

cat <<END
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: stellar
spec:
  version: $tag
  homepage: https://github.com/$GITHUB_REPOSITORY
  shortDescription: Operate KubeStellar
  description: |
    Installs KubeStellar, registers clusters, sends workloads to them, and shows where each
    workload is, or why it is not there.
  platforms:
END

# Node's name of a platform, and Go's.
while read -r name os arch; do
  sum=$("$(dirname "$0")/checksum.sh" "$name")
  cat <<END
  - selector:
      matchLabels:
        os: $os
        arch: $arch
    uri: https://github.com/$GITHUB_REPOSITORY/releases/download/$tag/stellarctl-$name.tar.gz
    sha256: "$sum"
    bin: stellarctl$([ "$os" != windows ] || echo .exe)
END
done <<'END'
linux-x64 linux amd64
linux-arm64 linux arm64
darwin-x64 darwin amd64
darwin-arm64 darwin arm64
windows-x64 windows amd64
END
