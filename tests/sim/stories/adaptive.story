# Step by step: what is due, then temp and cache by use, logs by size, and
# data by age; each step says what it gave. Compressing comes later.
filesystem srv total=100GB
component c allocation=1000MB strategy=adaptive data=30d cache=1d limits.share=100% limits.bytes=100%
{
file c data/due size=20MB age=40d
file c cache/due size=20MB age=2d
file c cache/cold size=60MB age=20h read=10h
file c cache/hot size=60MB age=20h read=20min
file c temp/t size=30MB age=5h
file c logs/small size=40MB age=20d
file c logs/large size=100MB age=2d
file c data/new size=300MB age=1d
file c data/old size=100MB age=9d
file c backup/b size=50MB age=90d
}
cleanup c target=750MB dry-run
cleanup c target=740MB dry-run
cleanup c target=600MB dry-run
cleanup c target=400MB dry-run
# A crossing takes as much as it takes to come to the target.
file c data/burst size=100MB
