# The executable of a release, unpacked into image/ for each architecture (.github/workflows/release.yml).
FROM gcr.io/distroless/cc-debian13:nonroot
ARG TARGETARCH
COPY image/${TARGETARCH}/ /stellarctl/
ENTRYPOINT ["/stellarctl/stellarctl"]
