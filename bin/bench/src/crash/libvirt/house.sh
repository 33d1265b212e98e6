# The stages of libvirtd's house; each runs the next. It ends when its standard input does.
#   outside   stays, and takes the cgroups away when all else has ended
#   join      goes into cgroups of the house, then into namespaces of its own
#   inside    hides the host's folders, and becomes the first process, which reaps
set -e

hierarchies() {
    while read -r _ point type options _; do
        case $type in cgroup | cgroup2) echo "$point $type $options" ;; esac
    done </proc/mounts
}

case $1 in
outside)
    sh -c "$HOUSE" house join || true
    hierarchies | while read -r point _; do
        [ ! -d "$point/$NAME" ] || find "$point/$NAME" -depth -type d -exec rmdir {} +
    done
    ;;
join)
    hierarchies | while read -r point type _; do
        mkdir "$point/$NAME"
        if [ "$type" = cgroup ] && [ -e "$point/cpuset.cpus" ]; then
            cat "$point/cpuset.cpus" >"$point/$NAME/cpuset.cpus"
            cat "$point/cpuset.mems" >"$point/$NAME/cpuset.mems"
            echo 1 >"$point/$NAME/cgroup.clone_children"
        fi
        echo $$ >"$point/$NAME/cgroup.procs"
    done
    exec unshare --mount --net --pid --cgroup --fork --kill-child sh -c "$HOUSE" house inside
    ;;
inside)
    # As the host's /proc tells it; the next one tells another.
    read -r pid _ </proc/self/stat
    mount --make-rprivate /
    list=$(hierarchies)
    mount -t proc proc /proc
    for folder in /run /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt; do
        mount -t tmpfs -o mode=0755 tmpfs $folder
    done
    echo "$list" | while read -r point type options; do
        umount -l "$point"
        mount -t "$type" -o "$options" "$type" "$point"
        mkdir -p "$point/daemon"
        echo $$ >"$point/daemon/cgroup.procs"
    done
    # Without /dev/kvm, so that libvirt does not ask QEMU again before each start whether it has come.
    umount -R -l /dev
    mount -t tmpfs -o mode=0755 tmpfs /dev
    mkdir /dev/pts /dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
    mount -t tmpfs tmpfs /dev/shm
    ln -s pts/ptmx /dev/ptmx
    ln -s /proc/self/fd /dev/fd
    while read -r name major minor; do mknod -m 666 "/dev/$name" c "$major" "$minor"; done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
    mkdir -p /run/bench /var/lib/libvirt/images
    printf 'auth_unix_rw = "none"\nmax_clients = 200\nmax_anonymous_clients = 200\n' >/etc/libvirt/libvirtd.conf
    printf 'stdio_handler = "file"\nsecurity_driver = "none"\n' >/etc/libvirt/qemu.conf
    echo "ready $pid"
    # Children that it does not wait for are reaped by the kernel.
    exec env --ignore-signal=CHLD cat
    ;;
esac
