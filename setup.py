"""Packaging of nas_tf; exact versions that were tested are in constraints.txt."""

import pathlib
import re
import shutil

import setuptools
from setuptools.command import build_py

HERE = pathlib.Path(__file__).resolve().parent
TENSORFLOW = ">=2.20,<2.22"
EXPORT = [  # of ONNX and LiteRT; LiteRT is written without, and read by its own library
    "onnx>=1.20,<2",
    "tf2onnx>=1.17,<2",
    "onnxruntime>=1.24,<2",
    "ai-edge-litert>=2.1,<3",
]
DOCUMENTS = ["mkdocs>=1.6,<2", "mkdocstrings[python]>=1.0,<2"]


def read_version() -> str:
    """Reads `__version__` as text, so that building does not import the package."""
    text = (HERE / "nas_tf" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if match is None:
        raise RuntimeError('nas_tf/__init__.py has no line __version__ = "..."')
    return match.group(1)


class BuildWithConfigs(build_py.build_py):
    """Puts the published experiments, which lie beside the package, into what is installed.

    Not so for `pip install -e`: there they are found where they lie. (A `package_dir` for them
    would not be: an editable installation knows one source folder only.)
    """

    def run(self):
        """Builds the package, and its flagfiles in place of those of an earlier build."""
        super().run()
        if not self.editable_mode:
            shutil.rmtree(self._target(), ignore_errors=True)
            self._target().mkdir(parents=True)
            for target, source in self._flagfiles().items():
                self.copy_file(source, target)

    def get_outputs(self, include_bytecode=True):
        """Lists what `run` makes."""
        own = [] if self.editable_mode else self._flagfiles()
        return [*super().get_outputs(include_bytecode), *own]

    def get_source_files(self):
        """Lists what `run` reads, for the source archive."""
        return [*super().get_source_files(), *self._flagfiles().values()]

    def _target(self) -> pathlib.Path:
        return pathlib.Path(self.build_lib) / "nas_tf" / "configs"

    def _flagfiles(self) -> dict[str, str]:
        """Returns the flagfiles, relative to this file, by where they are built."""
        names = sorted(path.name for path in (HERE / "configs").glob("*.flags"))
        return {str(self._target() / name): f"configs/{name}" for name in names}


setuptools.setup(
    name="nas_tf",
    version=read_version(),
    description="Neural architecture search for TensorFlow and Keras 3",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.11",
    packages=setuptools.find_packages(include=["nas_tf", "nas_tf.*"]),
    package_data={"nas_tf": ["data/*"]},
    install_requires=[
        f"tensorflow{TENSORFLOW}",
        "keras>=3.12,<4",
        "tensorflow-probability[tf]>=0.25,<0.26",
        "spektral>=1.3.1,<1.4",
        "keras-tuner>=1.4.7,<1.5",
        "tensorboard>=2.20,<2.22",  # TensorFlow 2.21 no longer brings it
        "numpy>=2.0,<3",
        "pandas>=2.2,<4",
        "scikit-learn>=1.5,<2",
        "networkx>=3.2,<4",
        "scipy>=1.12,<2",
        "threadpoolctl>=3.1,<4",
        "matplotlib>=3.9,<4",
        "markdown>=3.4,<4",
        "absl-py>=2.1,<3",
        "tqdm>=4.66,<5",
        "google-crc32c>=1.5,<2",
        # TensorFlow Probability imports distutils, which Python 3.12 no longer has.
        'setuptools>=69,<82; python_version >= "3.12"',
    ],
    extras_require={
        "test": ["pytest>=8,<10", "pytest-xdist>=3.6,<4", *DOCUMENTS, *EXPORT],
        "export": EXPORT,
        "docs": DOCUMENTS,
        "nats": ["nats_bench>=1.8,<2"],
        "gpu": [f"tensorflow[and-cuda]{TENSORFLOW}"],
    },
    cmdclass={"build_py": BuildWithConfigs},
    entry_points={"console_scripts": ["nas_tf = nas_tf.main:run"]},
)
