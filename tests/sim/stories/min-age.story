# Nothing younger than ten minutes goes, by whichever stamp: an archive that
# was unpacked just now has old files, born now.
filesystem srv total=10000MB
component c allocation=1000MB logs=1d data=1d age=modified strategy=priority interval=1h limits.share=100%
{
file c data/unpacked size=300MB age=900d born=1min read=900d
file c logs/read size=300MB age=9d read=9min
file c temp/written size=200MB age=0s born=9d
}
file c temp/more size=100MB
advance 8min
advance 2min
why c data/unpacked
