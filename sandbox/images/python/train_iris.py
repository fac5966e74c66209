"""Trains the iris example of KServe's documentation and writes it to the file that is named."""

import sys

import joblib
from sklearn import datasets, svm

iris = datasets.load_iris()
joblib.dump(svm.SVC(gamma="scale").fit(iris.data, iris.target), sys.argv[1])
