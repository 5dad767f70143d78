#!/usr/bin/env bash
# Prints the formula of Homebrew for a tag, by SHA256SUMS in the current folder.
set -euo pipefail
tag=$1

# Node's name of a platform.
archive() {
  local sum
  sum=$("$(dirname "$0")/checksum.sh" "$1") || exit
  cat <<END
      url "https://github.com/$GITHUB_REPOSITORY/releases/download/$tag/stellarctl-$1.tar.gz"
      sha256 "$sum"
END
}

darwin_arm64=$(archive darwin-arm64)
darwin_x64=$(archive darwin-x64)
linux_arm64=$(archive linux-arm64)
linux_x64=$(archive linux-x64)

cat <<END
class Stellarctl < Formula
  desc "Command-line for operators of KubeStellar"
  homepage "https://github.com/$GITHUB_REPOSITORY"
  version "${tag#v}"
  license "Apache-2.0"

  on_macos do
    on_arm do
$darwin_arm64
    end
    on_intel do
$darwin_x64
    end
  end
  on_linux do
    on_arm do
$linux_arm64
    end
    on_intel do
$linux_x64
    end
  end

  def install
    bin.install "stellarctl"
    bin.install_symlink "stellarctl" => "kubectl-stellar"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/stellarctl --version")
  end
end
END
