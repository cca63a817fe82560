#!/bin/sh
# Gathers what the image holds: `root.sh BINARY FOLDER` makes FOLDER/root, the root of the file system, and FOLDER/state,
# what the volume for state begins with. The Dockerfile runs it on the Debian that the binary was built on, and
# clients/python/deploy/test_image.py runs it to try the binary in just that root.
set -eu

binary=$1
root=$2/root
state=$2/state

mkdir -p "$state" "$root"
for folder in etc/outcrop etc/ssl/certs home/outcrop usr/local/bin usr/share/doc var/lib/dpkg/status.d var/lib/outcrop; do
    mkdir -p "$root/$folder"
done
install -d -m 1777 "$root/tmp"
install -m 755 "$binary" "$root/usr/local/bin/outcrop"

# Bedrock's certificates are checked by authorities that are built in; what credentials come from by the system's.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

printf '%s\n' 'root:x:0:0:root:/:/sbin/nologin' 'outcrop:x:65532:65532:Outcrop:/home/outcrop:/sbin/nologin' \
    > "$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'outcrop:x:65532:' > "$root/etc/group"
# Without it the C library asks DNS first for names that /etc/hosts has.
printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' > "$root/etc/nsswitch.conf"
cp -L /etc/os-release "$root/etc/os-release"

# The loader and the libraries, where the loader looks for them: "libm.so.6 => /lib/…/libm.so.6 (0x…)", or only a path.
libraries=$(ldd "$binary" | sed -n 's|^.*[[:space:]]\(/[^ ]*\) (0x[0-9a-f]*)$|\1|p')
for library in $libraries; do
    mkdir -p "$root${library%/*}"
    cp -L "$library" "$root$library"
    # Which package each is of, so that scanners can say which of them are out of date; and its licence.
    package=$(dpkg-query --search "*${library#/usr}" | sed -n '1s/:.*//p')
    dpkg-query --status "$package" > "$root/var/lib/dpkg/status.d/$package"
    mkdir -p "$root/usr/share/doc/$package"
    cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
done
