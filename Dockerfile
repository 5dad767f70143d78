# The executable of a release, unpacked into image/ for each architecture (.github/workflows/release.yml).
# The digest is that of the index of all architectures.
FROM gcr.io/distroless/cc-debian13:nonroot@sha256:e792ab3d241a468a4fd7519ddbbebe66b49b5f365771716ea688ad40b6c6f1c2
ARG TARGETARCH
COPY image/${TARGETARCH}/ /stellarctl/
ENTRYPOINT ["/stellarctl/stellarctl"]
