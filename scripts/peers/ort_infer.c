/* ONNX Runtime on one image, on one thread: "ort_infer model.onnx runs" loads a network whose images may be of any number, and has it
 * compute runs times. scripts/arm64_peer.sh counts the instructions of two runs and of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxruntime_c_api.h"

static const OrtApi *api;

static void check(OrtStatus *status)
{
	if (status) {
		fprintf(stderr, "ort_infer: %s\n", api->GetErrorMessage(status));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	enum { MAX_AXES = 8 };
	if (argc != 3) {
		fprintf(stderr, "usage: ort_infer model.onnx runs\n");
		return 2;
	}
	api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
	OrtEnv *env;
	OrtSessionOptions *options;
	OrtSession *session;
	check(api->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "ort_infer", &env));
	check(api->CreateSessionOptions(&options));
	check(api->SetIntraOpNumThreads(options, 1));
	check(api->SetInterOpNumThreads(options, 1));
	check(api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
	check(api->CreateSession(env, argv[1], options, &session));

	OrtAllocator *allocator;
	char *input, *output;
	OrtTypeInfo *type;
	const OrtTensorTypeAndShapeInfo *shape;
	int64_t axes[MAX_AXES];
	size_t rank, size = 1;
	check(api->GetAllocatorWithDefaultOptions(&allocator));
	check(api->SessionGetInputName(session, 0, allocator, &input));
	check(api->SessionGetOutputName(session, 0, allocator, &output));
	check(api->SessionGetInputTypeInfo(session, 0, &type));
	check(api->CastTypeInfoToTensorInfo(type, &shape));
	check(api->GetDimensionsCount(shape, &rank));
	if (rank > MAX_AXES)
		return 1;
	check(api->GetDimensions(shape, axes, rank));
	for (size_t i = 0; i < rank; i++) {
		if (axes[i] < 1)
			axes[i] = 1;
		size *= axes[i];
	}
	float *image = malloc(size * sizeof *image);
	for (size_t i = 0; i < size; i++)
		image[i] = (float)(i * 2654435761u % 65536) / 32768 - 1;

	OrtMemoryInfo *memory;
	OrtValue *in, *out;
	check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
	check(api->CreateTensorWithDataAsOrtValue(memory, image, size * sizeof *image, axes, rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &in));
	for (int i = atoi(argv[2]); i > 0; i--) {
		out = NULL;
		check(api->Run(session, NULL, (const char *const *)&input, (const OrtValue *const *)&in, 1, (const char *const *)&output, 1, &out));
		float *logits;
		check(api->GetTensorMutableData(out, (void **)&logits));
		printf("%g %g %g\n", logits[0], logits[1], logits[2]);
		api->ReleaseValue(out);
	}
	return 0;
}
