# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tries what a unit is to forbid, from inside it, and says what the kernel
# answered: a line "NAME: ok" or "NAME: error". Numbers of system calls are
# those of x86-64. (Of languages a minimal Debian has perl and sh.)
use strict;
use warnings;
use Errno qw();

# Where nothing forbids it, it would really be done.
die "not in a unit" if !$ENV{ULLAGE_PROBE};

sub name_of {
	my $number = $! + 0;
	for my $name (keys %!) {
		return $name if Errno->can($name) && Errno->$name == $number;
	}
	return $number;
}
$| = 1;
sub report { my ($what, $done) = @_; print "$what: ", $done ? "ok" : name_of(), "\n" }
sub call { my ($what, @args) = @_; my $r = syscall(shift @args, @args); report($what, $r >= 0); $r }
sub touch {
	my ($path) = @_;
	my $done = open(my $file, '>', "$path/probe-$$");
	report("write $path", $done);
	unlink "$path/probe-$$" if $done;
}

my $zero = "\0" x 256;
my $root = "/\0";
my $here = ".\0";
touch($_) for @ARGV;
for my $home ("/home", "/root") {
	my ($dir, @names);
	@names = grep { !/^\.\.?$/ } readdir $dir if opendir($dir, $home);
	report("list $home", scalar @names);
}
report("see others' processes", -d "/proc/1");
report("read /proc/kallsyms", open(my $k, '<', "/proc/kallsyms"));
report("give a file away", do {
	my $p = "$ARGV[0]/given-$$";
	open(my $f, '>', $p); close $f;
	my $done = chown(1, 1, $p); my $e = $!; unlink $p; $! = $e; $done });

call("socket AF_UNIX", 41, 1, 1, 0);
call("socket AF_INET", 41, 2, 1, 0);
call("socket AF_INET6", 41, 10, 1, 0);
call("socket AF_NETLINK", 41, 16, 3, 0);
call("socket AF_PACKET", 41, 17, 3, 0);
call("socket AF_VSOCK", 41, 40, 1, 0);
call("mount", 165, $root, $root, 0, 4096, 0);
call("umount", 166, $root, 2);
call("pivot_root", 155, $here, $here);
call("chroot", 161, $root);
call("unshare mount", 272, 0x20000);
call("unshare user", 272, 0x10000000);
call("setns", 308, 0, 0);
call("ptrace", 101, 16, getppid(), 0, 0);
call("process_vm_readv", 310, getppid(), 0, 0, 0, 0, 0);
call("init_module", 175, $zero, 0, $root);
call("finit_module", 313, 0, $root, 0);
call("kexec_load", 246, 0, 0, 0, 0);
call("bpf", 321, 0, $zero, 72);
call("perf_event_open", 298, $zero, 0, -1, -1, 0);
call("open_by_handle_at", 304, -100, $zero, 0);
call("io_uring_setup", 425, 1, $zero);
call("mknod device", 133, "$ARGV[0]/dev\0", 0020644, 0x103);
call("settimeofday", 164, $zero, 0);
call("sethostname", 170, $root, 1);
call("reboot", 169, 0, 0, 0, 0);
call("swapon", 167, $root, 0);
call("keyctl", 250, 0, -3, 0, 0, 0);
call("personality", 135, 0x0040000);
call("sched_setscheduler realtime", 144, 0, 1, $zero);
call("mmap writable and executable", 9, 0, 4096, 7, 0x22, -1, 0);

# And what must not be forbidden.
my $how = pack("QQQ", 010000000 | 0200000, 0, 0x04); # O_PATH|O_DIRECTORY
call("openat2", 437, -100, $root, $how, 24);
call("landlock", 444, 0, 0, 1);
