"""Stand-in for KServe's scikit-learn server, on the Model class of KServe's own library: flags, protocols v1 and v2,
health and metrics are the library's. Reads the one model file in --model_dir."""

import argparse
import os
import pathlib

import joblib
import kserve
from kserve import logging
from kserve.errors import InferenceError, ModelMissingError
from kserve.utils.utils import get_predict_input, get_predict_response

# File names and PREDICT_PROBA: kserve/kserve@v0.20.0:python/sklearnserver/sklearnserver/model.py
ENDINGS = (".joblib", ".pkl", ".pickle")


class SklearnModel(kserve.Model):
    def __init__(self, name: str, folder: str):
        super().__init__(name)
        self.folder = pathlib.Path(folder.removeprefix("file://"))

    def load(self) -> bool:
        files = sorted(file for file in self.folder.iterdir() if file.suffix in ENDINGS)
        if not files:
            raise ModelMissingError(str(self.folder))
        if len(files) > 1:
            raise RuntimeError(f"{len(files)} model files in {self.folder}, where one is allowed")
        self.model = joblib.load(files[0])
        wants_shares = os.environ.get("PREDICT_PROBA", "").lower() == "true"
        gives_shares = hasattr(self.model, "predict_proba")
        self.answer = self.model.predict_proba if wants_shares and gives_shares else self.model.predict
        self.ready = True
        return True

    def predict(self, payload, headers=None, response_headers=None):
        try:
            return get_predict_response(payload, self.answer(get_predict_input(payload)), self.name)
        except Exception as error:
            raise InferenceError(str(error)) from error


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    parser.add_argument("--model_dir", required=True, help="folder with the model file")
    args, _ = parser.parse_known_args()
    if args.configure_logging:
        logging.configure_logging(args.log_config_file)
    model = SklearnModel(args.model_name, args.model_dir)
    model.load()
    kserve.ModelServer().start([model])
