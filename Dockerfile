# One image for all roles. Both stages can be given another base that has Node 24 at /usr/local:
#   docker build -t diskpress .
# By digest, so that nobody can put another image under the name; what is newer in Debian comes with the upgrade below.
ARG BUILD_BASE=node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d
ARG BASE=node:24-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d

FROM ${BUILD_BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# This base has the right Node, and no package needs its install script here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE tsconfig.json build.ts ./
COPY build build
COPY src src
RUN node build.ts

# The plugin of nbdkit for disks of VMware. Of the package with nbdkit's headers, only these are wanted.
FROM ${BUILD_BASE} AS native
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev \
 && cd /tmp \
 && apt-get download nbdkit-plugin-dev \
 && dpkg-deb --extract nbdkit-plugin-dev_*.deb nbdkit
COPY native native
RUN mkdir --parents /native \
 && gcc -std=c11 -O2 -Wall -Wextra -Werror -fPIC -shared -s -I /tmp/nbdkit/usr/include \
      -o /native/nbdkit-diskpress-vddk-plugin.so native/vddk/*.c -ldl -lpthread

FROM ${BASE}
# nbdkit draws in what only its torrent and nbd plugins need, fifty megabytes: its package is made anew without the two, so that
# what is installed and what is said to be are the same. Its version stays, by which scanners know it.
RUN apt-get update \
 && apt-get upgrade --yes \
 && cd /tmp \
 && apt-get download nbdkit \
 && dpkg-deb --raw-extract nbdkit_*.deb nbdkit \
 && find nbdkit -name 'nbdkit-torrent-plugin*' -delete -o -name 'nbdkit-nbd-plugin*' -delete \
 && sed -i -E '/nbdkit-(torrent|nbd)-plugin/d' nbdkit/DEBIAN/md5sums \
 && sed -i -E '/^Depends:/s/ (libtorrent-rasterbar|libnbd)[0-9.]+ [^,]*,//g' nbdkit/DEBIAN/control \
 && dpkg-deb --build nbdkit nbdkit-smaller.deb \
 && apt-get install --yes --no-install-recommends busybox-static bzip2 ca-certificates libdeflate0 libisal2 liblzma5 \
      ./nbdkit-smaller.deb qemu-utils tar tini xz-utils \
 && rm -rf nbdkit* /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log /usr/share/man
# No role needs a package manager of Node's, or a program that runs as somebody else. The licences stay, those of Debian's packages
# in /usr/share/doc.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include /opt/yarn-* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && find / -xdev -perm /6000 -exec chmod a-s {} + \
 && find /usr/share/doc -type f ! -name copyright -delete \
 && find /usr/share/doc -type d -empty -delete
# With its bill of materials (sbom.cdx.json) and the licences of what is bundled (THIRD_PARTY_LICENSES).
COPY --from=build /build/dist /usr/share/diskpress
COPY --from=native /native /usr/lib/diskpress
USER 107:107
ENV NODE_ENV=production
# An arena of the C library for each thread would keep what a thread has freed.
ENV MALLOC_ARENA_MAX=2
# The first process of a container has no default for signals: Node, told to end while it starts, would be waited for in vain.
ENTRYPOINT ["tini", "-s", "--", "node", "/usr/share/diskpress/main.js"]
