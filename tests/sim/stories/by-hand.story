# A cleanup by hand: with another strategy, to another target, as a dry run;
# and why a file stays or goes.
filesystem srv total=100GB
component c allocation=1000MB strategy=time logs=3d limits.share=100%
{
file c logs/due size=10MB age=3d
file c logs/kept size=20MB age=2d
file c data/large size=200MB age=1d
file c data/old size=100MB age=9d
file c config/c size=1MB age=9d
}
why c logs/due
why c logs/kept
why c config/c
cleanup c dry-run
cleanup c strategy=size target=150MB dry-run
cleanup c strategy=lru target=150MB dry-run
cleanup c strategy=priority target=150MB
cleanup c
