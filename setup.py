"""Builds the wheel: the runtime as an extension module, and the kernels.

    TDA_BUILD_DIR     an existing build folder of the project to take the
                      compiler from (default: build/wheel, made by CMake)
    TDA_WHEEL_KERNELS which kernels to compile: all (default), few, or none
"""
import os
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).parent.resolve()
BUILD = Path(os.environ.get("TDA_BUILD_DIR", ROOT / "build" / "wheel"))
KERNELS = os.environ.get("TDA_WHEEL_KERNELS", "all")
sys.path.insert(0, str(ROOT / "python"))


def run(*command):
    try:
        subprocess.run([str(word) for word in command], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"setup.py: error: {error}. The build needs the packages of "
                 f"dev/setup; see python/README.md")


def build_project():
    """The compiler and the runtime; quick where they are there."""
    targets = ["tda_runtime_static"]
    if KERNELS != "none":
        targets.append("tda-compile")
    if not (BUILD / "CMakeCache.txt").exists():
        mlir = os.environ.get("MLIR_DIR", "/usr/lib/llvm-22/lib/cmake/mlir")
        run("cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja",
            "-DBUILD_TESTING=OFF", f"-DMLIR_DIR={mlir}")
    run("cmake", "--build", BUILD, "--target", *targets)


class BuildNative(build_ext):
    def run(self):
        build_project()
        cache = (BUILD / "CMakeCache.txt").read_text()
        libmd = next(line.split("=", 1)[1] for line in cache.splitlines()
                     if line.startswith("LIBMD_STATIC:"))
        for extension in self.extensions:
            extension.extra_objects = [
                str(BUILD / "lib" / f"lib{name}.a")
                for name in ("tda_runtime_static", "tda_manifest", "tda_core")
            ] + [libmd]
        super().run()
        self.kernels()

    def kernels(self):
        import build_kernels
        if self.inplace or KERNELS == "none":
            return
        build_kernels.main(["--compiler", str(BUILD / "bin" / "tda-compile"),
                            "--set", KERNELS,
                            str(Path(self.build_lib) / "tda" / "kernels")])


class Wheel(bdist_wheel):
    def finalize_options(self):
        super().finalize_options()
        self.py_limited_api = "cp39"


setup(
    ext_modules=[Extension(
        "tda._native", ["python/native/native.cpp"],
        depends=["python/native/Exchange.h", "include/tda/ProgramLoop.h",
                 "include/tda/runtime.h"],
        include_dirs=["include"], language="c++", py_limited_api=True,
        extra_compile_args=["-std=c++17", "-O2", "-fvisibility=hidden"],
        extra_link_args=["-static-libstdc++", "-static-libgcc", "-ldl",
                         "-pthread", "-Wl,--exclude-libs,ALL", "-s"])],
    # Beside, not among, what CMake puts in build/.
    options={"build": {"build_base": f"build/python-{KERNELS}"}},
    cmdclass={"build_ext": BuildNative, "bdist_wheel": Wheel},
)
