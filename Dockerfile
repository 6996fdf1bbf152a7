# One image for all roles. Both stages can be given another base that has Node 24 at /usr/local:
#   docker build -t diskpress .
ARG BUILD_BASE=node:24-bookworm-slim
ARG BASE=node:24-bookworm-slim

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# This base has the right Node, and no package needs its install script here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json build.ts ./
COPY src src
RUN node build.ts

FROM ${BASE}
# nbdkit's package draws in what only its torrent, nbd and perl plugins need: fifty megabytes.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends busybox-static bzip2 ca-certificates libdeflate0 libisal2 liblzma5 \
      nbdkit qemu-utils tar tini xz-utils \
 && dpkg --purge --force-depends \
      libtorrent-rasterbar2.0 libnbd0 libxml2 libicu72 perl libperl5.36 perl-modules-5.36 libgdbm6 libgdbm-compat4 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log /usr/share/doc /usr/share/man
COPY --from=build /build/dist /usr/share/diskpress
USER 107:107
ENV NODE_ENV=production
# An arena of the C library for each thread would keep what a thread has freed.
ENV MALLOC_ARENA_MAX=2
# The first process of a container has no default for signals: Node, told to end while it starts, would be waited for in vain.
ENTRYPOINT ["tini", "-s", "--", "node", "/usr/share/diskpress/main.js"]
