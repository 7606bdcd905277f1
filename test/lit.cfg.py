"""Configuration of the lit tests.

A test's RUN lines may use, by name, the project's tools (tda-opt, tda-compile,
tda-run, tda-autotune, tda-measure) and LLVM's FileCheck, not, count,
split-file, mlir-opt; and

  %data    test/data
  %examples  examples
  %cc, %cxx  the compilers that the project is built with
  %fake_cuda a driver that runs no kernel (REQUIRES: fake-cuda); its folder is
             %fake_cuda_dir
  %python    Python 3
  %ptxas   ptxas of the CUDA Toolkit (REQUIRES: ptxas)

Features for REQUIRES: ptxas, fake-cuda, gpu (tda-run sees one), x86, asan,
jsonschema (the Python package).
"""

import os
import shutil
import subprocess
import sys

import lit.formats

config.name = "tda"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "data", "gpu", "install", "unit", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.tda_build_dir, "test")

tools_dir = os.path.join(config.tda_build_dir, "bin")
config.environment["PATH"] = os.pathsep.join(
    [tools_dir, config.llvm_tools_dir, config.environment["PATH"]]
)
for name in ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "TDA_NUM_THREADS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
for setting in filter(None, config.sanitizer_environment.split(";")):
    name, value = setting.split("=", 1)
    config.environment[name] = os.environ.get(name, value)
    config.available_features.add("asan")

# A schedule that somebody tuned on this machine must not change what tests see.
config.environment["TDA_CACHE_DIR"] = os.path.join(config.test_exec_root, "no-cache")

config.substitutions.append(("%data", os.path.join(config.test_source_root, "data")))

config.substitutions.append(("%examples", os.path.join(config.tda_source_dir, "examples")))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%cxx", config.cxx_compiler))
libraries_dir = os.path.join(config.tda_build_dir, "lib")
fake_cuda = os.path.join(libraries_dir, "libtda_fake_cuda.so")
if os.path.exists(fake_cuda):
    config.available_features.add("fake-cuda")
    # lit replaces in order: the longer name first.
    config.substitutions.append(("%fake_cuda_dir", libraries_dir))
    config.substitutions.append(("%fake_cuda", fake_cuda))

# The tests' own scripts; TDA_TEST_PYTHON names another Python than lit's.
python = os.environ.get("TDA_TEST_PYTHON") or shutil.which("python3") or sys.executable
config.substitutions.append(("%python", python))
if subprocess.run([python, "-c", "import jsonschema"], capture_output=True).returncode == 0:
    config.available_features.add("jsonschema")


def find_ptxas():
    """The path of ptxas: from PATH, else from where the CUDA Toolkit puts it."""
    homes = [os.environ.get("CUDA_HOME"), "/usr/local/cuda"]
    folders = [os.path.join(home, "bin") for home in homes if home]
    return shutil.which("ptxas") or shutil.which("ptxas", path=os.pathsep.join(folders))


def has_gpu():
    """Whether tda-run sees a GPU. The tests of tda-run tell if it is broken."""
    try:
        devices = subprocess.run(
            [os.path.join(tools_dir, "tda-run"), "--devices"],
            env=config.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return devices.returncode == 0 and devices.stdout.strip() not in ("", "none")


ptxas = find_ptxas()
if ptxas:
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", ptxas))
if has_gpu():
    config.available_features.add("gpu")
if config.host_processor in ("x86_64", "AMD64"):
    config.available_features.add("x86")

# A test that hangs fails; lit needs psutil for that.
try:
    import psutil  # noqa: F401

    lit_config.maxIndividualTestTime = 600
except ImportError:
    lit_config.note("python3-psutil is not installed: tests have no time limit")
